"""The stand-in is as strict as RDS: what is proved on it would be allowed there."""

from __future__ import annotations

from contextlib import closing

import pytest
from psycopg2 import errors
from rds_standin import MASTER, RdsDatabase, Standin


@pytest.fixture
def database(any_standin: Standin) -> RdsDatabase:
    return any_standin.create_database(prepared=False)


def test_it_runs_with_the_settings_of_a_micro_instance(database: RdsDatabase) -> None:
    names = ("shared_buffers", "work_mem", "maintenance_work_mem", "max_connections", "jit")
    shown = {name: database.query(f"show {name}")[0][0] for name in names}
    assert shown == {
        "shared_buffers": "224MB",
        "work_mem": "4MB",
        "maintenance_work_mem": "64MB",
        "max_connections": "98",
        "jit": "off",
    }


def test_the_master_user_is_no_superuser_and_owns_the_database(database: RdsDatabase) -> None:
    assert database.query(
        "select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls "
        "from pg_roles where rolname = current_user"
    ) == [(False, True, True, False, False)]
    assert database.query(
        "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
    ) == [(MASTER,)]


@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 1) to '/tmp/x'",
        "create table x (a text); copy x from '/etc/passwd'",
        "copy (select 1) to program 'true'",
        "select pg_read_file('/etc/passwd')",
        "select pg_ls_dir('/')",
        "create role another superuser",
        "alter system set work_mem = '1GB'",
        "create extension file_fdw",
        "create tablespace elsewhere location '/tmp'",
    ],
)
def test_nobody_reaches_the_machine(database: RdsDatabase, statement: str) -> None:
    with closing(database.connect()) as session, session.cursor() as cursor:
        session.autocommit = True  # some refuse a transaction before they look at privileges
        with pytest.raises(errors.InsufficientPrivilege):
            cursor.execute(statement)


def test_every_connection_needs_tls_and_a_scram_password(tls_standin: Standin) -> None:
    rules = (tls_standin.server.data / "pg_hba.conf").read_text().split()
    assert rules[0] == "hostssl"
    assert rules[-1] == "scram-sha-256"
    assert len(rules) == 5, "one rule for all"
