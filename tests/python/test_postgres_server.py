"""The embedded server: first start, second start, stop, crash, and what can be in its way."""

from __future__ import annotations

from collections.abc import Callable

from conftest import Database

from retail_platform.postgres.server import LocalServer


def test_the_ordinary_role_is_like_the_master_user_of_rds(empty_database: Database) -> None:
    rows = empty_database.query(
        "select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user"
    )
    assert rows == [(False, True, True)]


def test_a_database_of_the_factory_is_fresh(
    embedded_server: LocalServer, new_database: Callable[..., Database]
) -> None:
    first = new_database(embedded_server)
    first.query("create table marca (id integer)")
    copy = new_database(embedded_server, first)
    assert copy.query("select count(*) from marca") == [(0,)]
    other = new_database(embedded_server)
    assert other.query("select to_regclass('public.marca')") == [(None,)]
