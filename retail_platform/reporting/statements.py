"""Statements of the project: put into SQL, run and timed, the same way for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jinja2
import psycopg2
from psycopg2.extensions import connection

from retail_platform.errors import UserError

SCHEMA = "retail"

Plan = dict[str, Any]


def render(
    path: Path,
    relations: Mapping[str, str] | None = None,
    variables: Mapping[str, object] | None = None,
) -> str:
    """The SQL of a file that is written as dbt would read it.

    Args:
        path: The file; ``ref('x')`` in it becomes ``retail.x`` and ``source('s', 'x')`` becomes
            ``s.x``, their names on every target.
        relations: Model -> relation to read instead.
        variables: Further names that the file uses.

    Raises:
        UserError: The file uses a name that is not there.
    """
    replaced, further = relations or {}, variables or {}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True)
    try:
        text = path.read_text(encoding="utf-8")
        return environment.from_string("".join(_macros(path, text)) + text).render(
            ref=lambda *names: replaced.get(names[-1], f"{SCHEMA}.{names[-1]}"),
            source=lambda schema, name: f"{schema}.{name}",
            **further,
        )
    except jinja2.TemplateError as error:
        raise UserError(
            f"{path}: {error}. Besides ref() and source() it can use: "
            f"{', '.join(further) or 'nothing'}."
        ) from None


def _macros(path: Path, text: str) -> list[str]:
    """The project's macros that a file calls, and those that they call; one file holds one."""
    folder = next(
        (
            above / "macros"
            for above in path.resolve().parents
            if (above / "dbt_project.yml").is_file()
        ),
        None,
    )
    found: dict[str, str] = {}
    waiting = [text] if folder else []
    while folder and waiting:
        for name in re.findall(r"\b(\w+)\(", waiting.pop()):
            file = folder / f"{name}.sql"
            if name not in found and file.is_file():
                found[name] = file.read_text(encoding="utf-8")
                waiting.append(found[name])
    return [text.rstrip() for text in found.values()]


@contextmanager
def expect_built() -> Iterator[None]:
    """Say in place of PostgreSQL that a relation is missing because nothing was built yet.

    Raises:
        UserError: A relation or its schema is missing.
    """
    try:
        yield
    except (psycopg2.errors.UndefinedTable, psycopg2.errors.InvalidSchemaName) as error:
        raise UserError(
            f"The database is not built: {error.diag.message_primary}. Run `make build` first."
        ) from None


def fetch(session: connection, statement: str) -> list[tuple]:
    """Run a statement in a transaction of its own and return its rows.

    Args:
        session: An open session.
        statement: SQL.

    Raises:
        UserError: If a relation is missing: the database is not built.
    """
    with expect_built(), session, session.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def explain(session: connection, statement: str) -> Plan:
    """Run a statement and return its plan with actual rows, loops and buffers.

    Timing of each node is off: reading the clock for millions of rows would cost more than
    some of the plans measured. Planning and execution time are there all the same.

    Args:
        session: An open session; a transaction that is open stays open.
        statement: SQL.
    """
    with session.cursor() as cursor:
        cursor.execute(f"explain (analyze, buffers, timing off, format json) {statement}")
        [[[plan]]] = cursor.fetchall()
    return plan


def milliseconds(plan: Plan) -> float:
    """Planning and execution in the server."""
    return float(plan["Planning Time"] + plan["Execution Time"])
