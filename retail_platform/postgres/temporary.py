"""Databases for a measurement, on a server that others use too."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from psycopg2 import sql

from retail_platform.postgres.connection import connect


@contextmanager
def temporary_database(parameters: Mapping[str, str], prefix: str) -> Iterator[dict[str, str]]:
    """A new database, dropped at the end.

    Args:
        parameters: libpq parameters of a database on the server; the role may create databases.
        prefix: Of its name.

    Yields:
        Its libpq parameters.
    """
    name = f"{prefix}_{uuid.uuid4().hex[:8]}"
    run_outside_transaction(parameters, sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        yield dict(parameters) | {"dbname": name}
    finally:
        # Not "with (force)": an ordinary role may not end an autovacuum worker, a plain drop does.
        run_outside_transaction(
            parameters, sql.SQL("drop database if exists {}").format(sql.Identifier(name))
        )


def run_outside_transaction(parameters: Mapping[str, str], statement: sql.Composable) -> None:
    """Run a statement that refuses to run in a transaction.

    Args:
        parameters: libpq parameters of the database.
        statement: For example ``vacuum``.
    """
    with closing(connect(parameters)) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(statement)
