"""Who may do what: the roles of the platform on a server as strict as RDS, 15 and 18."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import psycopg2
import pytest
from conftest import PROJECT, Database, run_dbt, run_script
from psycopg2 import errors
from rds_standin import MASTER, RdsDatabase, Standin
from test_loading_stage import sales, write

from retail_platform.errors import UserError
from retail_platform.loading import State, load_folder
from retail_platform.postgres.connection import connect
from retail_platform.roles import LOGINS, create_roles

LOADER, TRANSFORMER, READER = (role.name for role in LOGINS)
EVERYBODY = {LOADER, TRANSFORMER, READER}

# What is tried -> who may. Run in a transaction that is rolled back.
MATRIX: dict[str, set[str]] = {
    "select count(*) from retail.ventas": {TRANSFORMER, READER},
    "select count(*) from retail.fact_ventas": {TRANSFORMER, READER},
    "select count(*) from retail.mv_daily_sales_summary": {TRANSFORMER, READER},
    "select count(*) from staging.raw_ventas": {LOADER, TRANSFORMER},
    "select count(*) from staging.cargas": {LOADER, TRANSFORMER},
    "select count(*) from staging.stg_ventas": {TRANSFORMER},
    "select count(*) from staging.festivos": {TRANSFORMER},
    "select count(*) from cuarentena.filas_archivo": {LOADER, TRANSFORMER},
    "select count(*) from cuarentena.ventas": {TRANSFORMER},
    "delete from staging.raw_ventas": {LOADER},
    "insert into staging.versiones_mes values ('x', now(), 1, 1, now())": {LOADER},
    "update staging.claves_mes set version = version": {LOADER},
    "update staging.mundo set escala = escala": {LOADER},
    "select count(*) from staging.filas_movidas": {LOADER, TRANSFORMER},
    "delete from cuarentena.filas_archivo": set(),
    "update retail.dim_tienda set region = region": {TRANSFORMER},
    "delete from retail.fact_ventas": {TRANSFORMER},
    "truncate retail.fact_ventas": {TRANSFORMER},
    "refresh materialized view retail.mv_ticket_formato": {TRANSFORMER},
    "drop table retail.fact_ventas cascade": {TRANSFORMER},
    "drop table staging.raw_ventas cascade": set(),
    "select staging.crear_particion('raw_ventas'::text, '2031-01-01'::date)": {LOADER},
    "create table staging.x (a integer)": {TRANSFORMER},
    "create table cuarentena.x (a integer)": {TRANSFORMER},
    "create table retail.x (a integer)": {TRANSFORMER},
    "create temporary table x (a integer)": {TRANSFORMER},
    "create schema archivo": {TRANSFORMER},
    # Nobody of the platform:
    "create table public.x (a integer)": set(),
    "drop schema retail cascade": set(),
    "drop schema staging cascade": set(),
    "alter schema retail rename to x": set(),
    "create role intruder": set(),
    "create database x": set(),
    "alter role retail_reader createrole": set(),
    "set role retail_owner": set(),
    "grant retail_owner to retail_reader": set(),
    "select rolpassword from pg_authid": set(),
    "copy (select 1) to '/tmp/x'": set(),
    "copy staging.raw_tiendas from '/etc/passwd'": set(),
    "select pg_read_file('/etc/passwd')": set(),
    "copy (select 1) to program 'true'": set(),
    "alter system set work_mem = '1GB'": set(),
}


@pytest.fixture
def built(any_standin: Standin, built_on: Callable[[Standin], RdsDatabase]) -> RdsDatabase:
    return built_on(any_standin)


def _allowed(database: RdsDatabase, role: str, statement: str) -> bool:
    with closing(connect(database.standin.parameters(role, database.name))) as session:
        session.autocommit = True
        try:
            with session.cursor() as cursor:
                # The reader's transactions are read only by default, which is no protection.
                cursor.execute("set default_transaction_read_only = off")
                # Two statements refuse a transaction before they look at privileges.
                session.autocommit = statement.startswith(("create database", "alter system"))
                cursor.execute(statement)
        except errors.InsufficientPrivilege:
            return False
        return True


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_each_role_may_do_its_work_and_nothing_else(built: RdsDatabase, role: str) -> None:
    found = {statement: _allowed(built, role, statement) for statement in MATRIX}
    assert found == {statement: role in allowed for statement, allowed in MATRIX.items()}


def test_the_reader_gets_the_answers(built: RdsDatabase) -> None:
    answers = run_script("answers.py", "--target", "rds", env=built.environment_of(READER))
    assert "The four business questions" in answers.stdout


def test_public_has_nothing(built: RdsDatabase) -> None:
    granted = built.query(
        """
        select 'relation', relname::text, acl.privilege_type
        from pg_class cross join lateral aclexplode(relacl) as acl
        where acl.grantee = 0
            and relnamespace::regnamespace::text in ('staging', 'retail', 'cuarentena', 'public')
        union all
        select 'schema', nspname, acl.privilege_type
        from pg_namespace cross join lateral aclexplode(nspacl) as acl
        where acl.grantee = 0 and nspname !~ '^pg_' and nspname <> 'information_schema'
        union all
        select 'database', datname, acl.privilege_type
        from pg_database
        cross join lateral aclexplode(coalesce(datacl, acldefault('d', datdba))) as acl
        where acl.grantee = 0 and datname = current_database()
        union all
        select 'default for', defaclrole::regrole::text, acl.privilege_type
        from pg_default_acl cross join lateral aclexplode(defaclacl) as acl
        where acl.grantee = 0
        """
    )
    assert granted == []


def test_nobody_has_powers_over_the_server(built: RdsDatabase) -> None:
    powers = built.query(
        "select rolname from pg_roles where rolname ~ '^retail' and (rolsuper or rolreplication "
        "or rolbypassrls or (rolname <> %s and (rolcreatedb or rolcreaterole)))",
        MASTER,
    )
    assert powers == []
    # The master user of the stand-in is no more than that of RDS.
    with pytest.raises(errors.InsufficientPrivilege):
        built.query("select pg_read_file('/etc/passwd')")


def test_a_new_relation_of_each_maker_is_readable_where_it_should_be(built: RdsDatabase) -> None:
    database = built.standin.create_database(template=built.name)
    database.query("set role retail_owner; create table staging.raw_nueva (a integer)")
    database.query_as(TRANSFORMER, "create table retail.nueva (a integer)")
    assert database.query_as(TRANSFORMER, "select * from staging.raw_nueva") == []
    assert database.query_as(LOADER, "delete from staging.raw_nueva returning a") == []
    assert database.query_as(READER, "select * from retail.nueva") == []


_STATE = """
select 'role', rolname::text, (rolcanlogin, rolinherit, rolvaliduntil, rolconfig)::text
from pg_roles where rolname ~ '^retail'
union all select 'member', roleid::regrole::text, member::regrole::text from pg_auth_members
union all select 'schema', nspname, (nspowner::regrole, nspacl)::text from pg_namespace
union all select 'database', datname, datacl::text from pg_database
    where datname = current_database()
union all select 'relation', oid::regclass::text, (relowner::regrole, relacl)::text from pg_class
    where relnamespace::regnamespace::text in ('staging', 'retail', 'cuarentena')
union all select 'default', defaclrole::regrole::text,
    (defaclnamespace, defaclobjtype, defaclacl)::text
    from pg_default_acl
order by 1, 2, 3
"""


def test_the_command_can_be_repeated_and_logs_no_password(built: RdsDatabase) -> None:
    standin = built.standin
    before = built.query(_STATE)
    variables = {role.password_variable: standin.passwords[role.name] for role in LOGINS}
    env = built.environment_of(MASTER) | {str(name): text for name, text in variables.items()}
    printed = run_script("bootstrap_roles.py", env=env)
    assert built.query(_STATE) == before
    assert printed.stdout.count("password set") == 3
    for role in LOGINS:
        assert built.query_as(role.name, "select current_user::text") == [(role.name,)]
    log = standin.server.log.read_text(errors="replace").lower()
    assert 'alter role "retail_loader" password' in log, "the server does log such statements"
    for password in standin.passwords.values():
        assert password.lower() not in log + printed.stdout.lower() + printed.stderr.lower()


def test_an_installation_of_a_single_user_gets_the_roles(any_standin: Standin) -> None:
    database = any_standin.create_database(prepared=False)
    database.query(
        """
        create schema staging; create schema retail; create schema cuarentena;
        create table staging.cargas (carga_id bigint generated always as identity, tabla text);
        create table staging.raw_ventas (fecha_venta date) partition by range (fecha_venta);
        create table staging.raw_ventas_p202501 partition of staging.raw_ventas
            for values from ('2025-01-01') to ('2025-02-01');
        create view staging.stg_ventas as select * from staging.raw_ventas;
        create materialized view retail."Mv" as select * from staging.stg_ventas;
        """
    )
    create_roles(database.parameters, any_standin.role_passwords)
    owners = database.query(
        "select relname::text, relowner::regrole::text from pg_class "
        "where relnamespace::regnamespace::text in ('staging', 'retail') "
        "and relkind in ('r', 'p', 'v', 'm', 'S')"
    )
    transformers = {name for name, owner in owners if owner == TRANSFORMER}
    assert transformers == {"stg_ventas", "Mv"}
    owned = {name for name, owner in owners if owner == "retail_owner"}
    assert transformers | owned == {name for name, _ in owners}
    assert owned >= {"cargas", "cargas_carga_id_seq", "raw_ventas", "raw_ventas_p202501"}
    database.query_as(TRANSFORMER, 'refresh materialized view retail."Mv"')
    assert database.query_as(READER, 'select * from retail."Mv"') == []


def test_a_single_users_database_goes_on_with_the_roles(
    any_standin: Standin, tmp_path: Path
) -> None:
    database = any_standin.create_database(prepared=False)
    for user, month in ((MASTER, 1), (LOADER, 2), (MASTER, 3)):
        if user == LOADER:
            create_roles(database.parameters, any_standin.role_passwords)
        first = month * 10
        rows = sales(date(2024, month, 1), range(first, first + 5))
        path = write(tmp_path, f"ventas_{month}.parquet", rows)
        report = load_folder(path, any_standin.parameters(user, database.name))
        assert [file.state for file in report.files] == [State.LOADED]
    assert database.query(
        "select distinct relowner::regrole::text from pg_class where relname ~ '^raw_ventas_p'"
    ) == [("retail_owner",)]
    assert database.query_as(TRANSFORMER, "select count(*) from staging.raw_ventas") == [(30,)]


def test_the_loader_moves_rows_to_another_month(any_standin: Standin, tmp_path: Path) -> None:
    database = any_standin.create_database()
    days = (date(2024, 1, 20), date(2024, 2, 3))
    for number, (day, tickets) in enumerate(
        ((days[0], range(1, 6)), (days[1], range(1, 10)), (days[0], range(4, 6)))
    ):
        path = write(tmp_path, f"ventas_{number}.parquet", sales(day, tickets))
        report = load_folder(path, any_standin.parameters(LOADER, database.name))
        assert not report.failed, report.failed
    assert database.query_as(
        TRANSFORMER, "select mes, filas::int from staging.filas_movidas order by mes"
    ) == [(date(2024, 1, 1), 10), (date(2024, 2, 1), 4)]


def test_who_cannot_create_roles_is_told_and_nothing_changes(any_standin: Standin) -> None:
    database = any_standin.create_database()
    before = database.query(_STATE)
    refused = run_script("bootstrap_roles.py", env=database.environment_of(READER), check=False)
    assert refused.returncode == 1
    assert "may not create roles. Connect as the master user" in refused.stderr
    assert database.query(_STATE) == before


def test_iam_is_granted_where_it_exists(any_standin: Standin) -> None:
    database = any_standin.create_database()
    with pytest.raises(UserError, match="IAM tokens work on RDS only"):
        create_roles(database.parameters, {}, iam=True)
    database.query("create role rds_iam")
    try:
        create_roles(database.parameters, {}, iam=True)
        members = database.query(
            "select member::regrole::text from pg_auth_members where roleid = 'rds_iam'::regrole"
        )
        assert {name for (name,) in members} >= EVERYBODY
    finally:
        database.query("drop role rds_iam")


def test_a_reviewers_access_ends(any_standin: Standin) -> None:
    database = any_standin.create_database()
    create_roles(database.parameters, {}, reader_until="2020-01-31")
    try:
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            database.query_as(READER, "select 1")
    finally:
        create_roles(database.parameters, {})
    assert database.query_as(READER, "select 1 as a") == [(1,)]


def test_dbts_grants_survive_partition_exchange_and_new_views(
    built: RdsDatabase, tmp_path: Path
) -> None:
    database = built.standin.create_database(template=built.name)
    # dbt's own grants alone, without the help of default privileges; and one that is not wanted.
    database.query(
        "alter default privileges for role retail_transformer in schema retail "
        "revoke select on tables from retail_reader"
    )
    database.query_as(TRANSFORMER, "grant select on retail.mv_ticket_formato to retail_loader")
    project = tmp_path / "project"
    ignored = shutil.ignore_patterns(".*", "target", "logs", "data", "python")
    shutil.copytree(PROJECT, project, ignore=ignored)
    for name in ("mv_ticket_formato", "ventas"):
        model = project / "models" / "marts" / "reporting" / f"{name}.sql"
        model.write_text(f"{model.read_text().rstrip()}\nlimit all\n")
    log = run_dbt(
        *["build", "--select", "fact_ventas", "ventas", "mv_ticket_formato"],
        *["--exclude-resource-type", "test", "unit_test"],
        *["--vars", "{rebuild_range: ['2025-12-01', '2025-12-31']}"],
        database=database,
        project=project,
    ).stdout
    assert "fact_ventas_p202512: build, asked for by rebuild_range" in log
    assert "mv_ticket_formato: its SQL changed: built beside and swapped" in log
    assert "ventas: view changed" in log
    for relation in ("fact_ventas", "fact_ventas_p202512", "ventas", "mv_ticket_formato"):
        assert database.query_as(READER, f"select count(*) from retail.{relation}")
        with pytest.raises(errors.InsufficientPrivilege):
            database.query_as(LOADER, f"select count(*) from retail.{relation}")


def test_where_there_are_no_roles_dbt_leaves_privileges_alone(
    empty_database: Database,
) -> None:
    shown = run_dbt(
        *["ls", "--select", "dim_tienda", "--output", "json", "--output-keys", "config"],
        database=empty_database,
    )
    assert '"grants": {}' in shown.stdout


def test_a_missing_role_stops_the_build_before_it_changes_anything(
    empty_database: Database,
) -> None:
    result = run_dbt(
        *["build", "--select", "canales"],
        database=empty_database,
        env={"RETAIL_READERS": "nadie public otro"},
        check=False,
    )
    assert result.returncode != 0
    assert "there is no role nadie, otro in this database. Nothing was changed." in result.stdout
    assert "`make roles` makes it; the variable RETAIL_READERS names others." in result.stdout
    assert "Traceback" not in result.stdout
    assert empty_database.query("select to_regclass('staging.canales')") == [(None,)]
