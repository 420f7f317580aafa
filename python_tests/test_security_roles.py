"""What a leaked credential of each of the platform's roles can do to the others, on 15 and 18.

docs/security.md names the test of each of its sentences.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg2
import pytest
from conftest import run_script
from psycopg2 import errors
from psycopg2.extensions import connection
from rds_standin import MASTER, RdsDatabase, Standin
from test_loading_stage import sales, write

from retail_platform import daily
from retail_platform.errors import UserError
from retail_platform.loading import LoadError, State, ledger, load_folder
from retail_platform.loading.moves import KeyCache
from retail_platform.loading.schema import prepare
from retail_platform.loading.tables import SALES
from retail_platform.loading.worlds import Delivered, World, claim
from retail_platform.postgres.connection import connect
from retail_platform.roles import LOGINS, create_roles

LOADER, TRANSFORMER, READER = (role.name for role in LOGINS)
OWNER = "retail_owner"
DAY = datetime.date(2024, 1, 31)

# Everything by which one role's code runs in another one's session.
PLANTED = (
    "create function {schema}.f() returns integer language sql return 1",
    "create procedure {schema}.p() language sql begin atomic select 1; end",
    "create aggregate {schema}.a(integer) (sfunc = int4pl, stype = integer)",
    "create operator {schema}.=== (function = int4eq, leftarg = integer, rightarg = integer)",
    "create type {schema}.t as enum ('a')",
    "create domain {schema}.d as integer check (value > 0)",
    "create view {schema}.v as select 1 as a",
    "create materialized view {schema}.m as select 1 as a",
    "create table {schema}.t (a integer)",
    "create foreign data wrapper w",
    "create schema authorization current_user",
    "create schema retail_admin",
    "create extension hstore schema {schema}",
    "create event trigger e on ddl_command_start execute function {schema}.f()",
    "create cast (integer as text) without function",
    "create publication p",
    "create temporary table pg_class (a integer)",
    "set role retail_owner",
    "set role retail_transformer",
    "grant retail_owner to current_user",
    "alter role retail_transformer set search_path = x",
    "alter database {database} set search_path = x",
    "alter default privileges for role retail_owner grant all on tables to current_user",
)
# The same on a table that another role reads.
PLANTED_ON_TABLE = (
    "create policy p on {table} using (false)",
    "alter table {table} enable row level security",
    "create rule r as on insert to {table} do also select 1",
    "create trigger t before insert on {table} execute function tsvector_update_trigger()",
    "alter table {table} add column c integer generated always as (1) stored",
    "alter table {table} add check (true)",
    "create index on {table} (fila)",
    "create statistics staging.s on carga_id, fila from {table}",
    "comment on table {table} is 'x'",
    "alter table {table} owner to current_user",
    "alter table {table} rename to x",
    "alter table {table} set schema public",
    "alter table {table} replica identity full",
    "drop table {table}",
    "truncate {table}",
)


@pytest.fixture
def database(any_standin: Standin) -> RdsDatabase:
    return any_standin.create_database()


@pytest.fixture
def passwords(database: RdsDatabase) -> Iterator[None]:
    """Puts the passwords back."""
    yield
    create_roles(database.parameters, database.standin.role_passwords)


def _session(database: RdsDatabase, role: str) -> connection:
    return connect(database.standin.parameters(role, database.name))


def _allowed(database: RdsDatabase, role: str, statements: Sequence[str]) -> list[str]:
    """The statements that are not refused for lack of rights; nothing is kept."""
    allowed = []
    with closing(_session(database, role)) as session, session.cursor() as cursor:
        for statement in statements:
            try:
                cursor.execute("set transaction read write")
                cursor.execute(statement)
                allowed.append(statement)
            except errors.InsufficientPrivilege:
                pass
            session.rollback()
    return allowed


def _load(database: RdsDatabase, path: Path, role: str = LOADER):
    return load_folder(path, dict(database.standin.parameters(role, database.name)))


@pytest.mark.parametrize("role", [LOADER, READER])
def test_the_loader_and_the_reader_plant_no_code(database: RdsDatabase, role: str) -> None:
    statements = [
        statement.format(schema=schema, database=database.name)
        for statement in PLANTED
        for schema in ("staging", "cuarentena", "retail", "public")
    ]
    database.query_as(TRANSFORMER, "create table retail.hecho (carga_id int, fila int)")
    statements += [
        statement.format(table=table)
        for statement in PLANTED_ON_TABLE
        for table in ("staging.raw_devoluciones", "staging.cargas", "retail.hecho")
    ]
    assert _allowed(database, role, statements) == []
    assert database.query(
        "select count(*) from pg_shdepend inner join pg_database d on d.oid = dbid "
        "where refobjid = %s::regrole and deptype = 'o' and datname = current_database() "
        "and classid <> 'pg_default_acl'::regclass",
        role,
    ) == [(0,)]


def test_the_owner_of_the_raw_tables_logs_in_nowhere(database: RdsDatabase) -> None:
    assert database.query(
        "select rolcanlogin, (select count(*) from pg_auth_members where roleid = r.oid and "
        "member <> %s::regrole) from pg_roles r where rolname = %s",
        *(MASTER, OWNER),
    ) == [(False, 0)]
    assert database.query(
        "select distinct relowner::regrole::text from pg_class where relkind in ('r', 'p', 'S') "
        "and relnamespace in ('staging'::regnamespace, 'cuarentena'::regnamespace)"
    ) == [(OWNER,)]


def test_only_the_loader_notes_daily_runs(database: RdsDatabase) -> None:
    statements = (
        "insert into staging.corridas (iniciada_en, resultado) values (now(), 'en_curso')",
        "update staging.corridas set resultado = 'completa'",
    )
    assert _allowed(database, LOADER, statements) == [*statements]
    for role in (TRANSFORMER, READER):
        assert _allowed(database, role, [*statements, "delete from staging.corridas"]) == []
    select = ("select * from staging.corridas",)  # for retail.corridas
    assert _allowed(database, TRANSFORMER, select) == [*select]
    assert _allowed(database, READER, select) == []


def test_a_policy_is_an_error_and_no_missing_rows(database: RdsDatabase, tmp_path: Path) -> None:
    _load(database, write(tmp_path, "ventas_1.parquet", sales(DAY, range(1, 4))))
    database.query(
        "set role retail_owner; create policy p on staging.raw_ventas using (false);"
        "alter table staging.raw_ventas enable row level security"
    )
    for role in (TRANSFORMER, LOADER):
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            database.query_as(role, "select count(*) from staging.raw_ventas")


def test_no_setting_of_the_database_reaches_the_programs(database: RdsDatabase) -> None:
    for setting in ("client_encoding = 'LATIN1'", "row_security = on", "search_path = retail"):
        database.query(f'alter database "{database.name}" set {setting}')
    pinned = [("", "off", "UTF8")]
    shown = (
        "select current_setting('search_path'), current_setting('row_security'), "
        "current_setting('client_encoding')"
    )
    for role in (LOADER, TRANSFORMER):
        parameters = database.standin.parameters(role, database.name)
        with closing(psycopg2.connect(**parameters)) as session:  # as dbt does
            with session.cursor() as cursor:
                cursor.execute(shown)
                assert [tuple(text.strip('"') for text in cursor.fetchone())] == pinned


def test_what_a_role_set_for_itself_ends_with_make_roles(database: RdsDatabase) -> None:
    for role in (LOADER, TRANSFORMER):
        database.query_as(
            role, f'alter role {role} in database "{database.name}" set search_path = retail'
        )
        database.query_as(role, f"alter role {role} set default_transaction_read_only = on")
    create_roles(database.parameters, {})
    for role in (LOADER, TRANSFORMER):
        assert database.query_as(
            role,
            "select current_setting('default_transaction_read_only'), "
            "btrim(current_setting('search_path'), '\"')",
        ) == [("off", "")]


def test_the_transformer_plants_nothing_for_the_loader(
    database: RdsDatabase, tmp_path: Path
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        database.query_as(
            TRANSFORMER,
            "create or replace function staging.crear_particion(tabla text, mes date) "
            "returns void language sql return 1",
        )
    for kinds in ("text, text", "varchar, date", "name, timestamp", "anyelement, date", "text"):
        database.query_as(
            TRANSFORMER,
            f"create function staging.crear_particion({kinds}) returns void language plpgsql "
            "as $$ begin raise exception 'captured'; end $$; "
            f"grant execute on function staging.crear_particion({kinds}) to public",
        )
    # A look-alike of what the loads lock, in front of it.
    database.query_as(TRANSFORMER, "create schema retail_loader")
    database.query_as(TRANSFORMER, "create table retail_loader.cerrojos (nombre text)")
    report = _load(database, write(tmp_path, "ventas_1.parquet", sales(DAY, range(1, 4))))
    assert [file.state for file in report.files] == [State.LOADED], report
    assert database.query(
        "select relowner::regrole::text from pg_class where relname = 'raw_ventas_p202401'"
    ) == [(OWNER,)]


def test_the_owners_function_makes_partitions_and_nothing_else(database: RdsDatabase) -> None:
    call = "select staging.crear_particion(%s::text, '2024-01-15'::date)"
    for role in (TRANSFORMER, READER):
        with pytest.raises(errors.InsufficientPrivilege):
            database.query_as(role, call, "raw_ventas")
    database.query_as(
        TRANSFORMER, "create table staging.raw_mia (fecha date) partition by range (fecha)"
    )
    for name in ("cargas", "raw_productos", "raw_mia", "raw_ventas; drop table staging.cargas"):
        with pytest.raises(errors.RaiseException, match="no raw table with monthly partitions"):
            database.query_as(LOADER, call, name)
    for _ in range(2):
        database.query_as(LOADER, call, "raw_ventas")
    # What stands in the way of a partition is named and left alone.
    database.query_as(TRANSFORMER, "create table staging.raw_inventario_p202401 (a integer)")
    with pytest.raises(errors.RaiseException, match="exists but is no partition"):
        database.query_as(LOADER, call, "raw_inventario")
    assert database.query(
        "select inhrelid::regclass::text, pg_get_expr(relpartbound, oid) "
        "from pg_inherits inner join pg_class on oid = inhrelid where relkind = 'r'"
    ) == [("staging.raw_ventas_p202401", "FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')")]


def test_the_administrator_runs_nothing_of_the_transformers(database: RdsDatabase) -> None:
    database.query_as(TRANSFORMER, f"create schema {MASTER}")
    database.query_as(
        TRANSFORMER,
        f"create function {MASTER}.starts_with(name, text) returns boolean language plpgsql "
        "as $$ begin alter role retail_transformer createrole; return true; end $$; "
        f"grant usage on schema {MASTER} to public; "
        f"grant execute on function {MASTER}.starts_with(name, text) to public",
    )
    trap = "select starts_with(nspname, 'x') from pg_namespace"
    powers = "select rolcreaterole from pg_roles where rolname = 'retail_transformer'"
    # It is a trap: with PostgreSQL's default path it would work.
    with closing(database.connect()) as session, session.cursor() as cursor:
        cursor.execute('set search_path = "$user", public')
        cursor.execute(trap)
        cursor.execute(powers)
        assert cursor.fetchone() == (True,)
        session.rollback()
    create_roles(database.parameters, {})
    database.query(trap)
    assert database.query(powers) == [(False,)]


def _make_old(database: RdsDatabase) -> None:
    """The privileges that roles had before: the loader made its tables and owned them."""
    database.query(
        f"grant usage, create on schema staging, cuarentena to {LOADER};"
        "drop table staging.cerrojos, staging.corrida_diaria;"
        "drop function staging.crear_particion(text, date)"
    )
    relations = database.query(
        "select oid::regclass::text from pg_class where relkind in ('r', 'p') "
        "and relnamespace in ('staging'::regnamespace, 'cuarentena'::regnamespace)"
    )
    for (relation,) in relations:
        database.query(f"alter table {relation} owner to {LOADER}")
        database.query(f"revoke all on {relation} from {TRANSFORMER}")
    database.query(
        f"alter default privileges for role {LOADER} in schema staging "
        f"grant select on tables to {TRANSFORMER}"
    )


def test_an_older_installation_is_taken_over_by_make_roles(
    database: RdsDatabase, tmp_path: Path
) -> None:
    path = write(tmp_path, "ventas_1.parquet", sales(DAY, range(1, 4)))
    _load(database, path)
    _make_old(database)
    with pytest.raises(LoadError, match="`make roles`"):
        _load(database, path)
    database.query_as(LOADER, "grant all on staging.raw_ventas to public")
    create_roles(database.parameters, {})
    test_the_owner_of_the_raw_tables_logs_in_nowhere(database)
    test_the_loader_and_the_reader_plant_no_code(database, LOADER)
    later = sales(datetime.date(2024, 2, 1), range(9, 12))
    report = _load(database, write(tmp_path, "ventas_2.parquet", later))
    assert [file.state for file in report.files] == [State.LOADED]
    for statement in ("delete from staging.raw_ventas", "insert into staging.cerrojos values (1)"):
        assert _allowed(database, TRANSFORMER, [statement]) == []
    assert database.query_as(TRANSFORMER, "select count(*) from staging.raw_ventas") == [(12,)]


@pytest.mark.parametrize(
    ("planted", "named"),
    [
        ("create function staging.f() returns integer language sql return 1", "function staging.f"),
        ("create domain staging.d as integer", "type staging.d"),
        ("create view staging.v as select 1 as a", "view staging.v"),
        ("create policy p on staging.raw_ventas using (true)", "policy p on staging.raw_ventas"),
        ("create rule r as on insert to staging.raw_ventas do also select 1", "rule r on"),
        (
            "create trigger t before insert on staging.raw_productos for each row "
            "execute function suppress_redundant_updates_trigger()",
            "trigger t on staging.raw_productos",
        ),
    ],
)
def test_what_an_older_loader_planted_is_named_and_not_taken_over(
    database: RdsDatabase, planted: str, named: str
) -> None:
    _make_old(database)
    database.query_as(LOADER, planted)
    with pytest.raises(UserError, match=f"Nothing was changed: .*{named}"):
        create_roles(database.parameters, {})
    assert database.query(
        "select relowner::regrole::text from pg_class where relname = 'raw_ventas'"
    ) == [(LOADER,)]


def test_what_is_missing_is_made_by_the_administrator_only(
    database: RdsDatabase, tmp_path: Path
) -> None:
    path = write(tmp_path, "ventas_1.parquet", sales(DAY, range(1, 4)))
    database.query("drop table staging.raw_promociones")
    with pytest.raises(LoadError, match=r"lacks staging\.raw_promociones.*`make roles`"):
        _load(database, path)
    create_roles(database.parameters, {})
    assert [file.state for file in _load(database, path).files] == [State.LOADED]
    for role in (TRANSFORMER, READER):
        with pytest.raises(LoadError, match=f"{role} may not load"):
            _load(database, path, role)


def test_a_reader_takes_no_lock_that_a_load_waits_for(
    database: RdsDatabase, tmp_path: Path
) -> None:
    path = write(tmp_path, "ventas_1.parquet", sales(DAY, range(1, 4)))
    with closing(_session(database, LOADER)) as loading, loading.cursor() as cursor:
        prepare(loading)
        started = datetime.datetime.now(datetime.UTC)
        delivery = ledger.Delivery(SALES, path.name, "0" * 64, 1, started)
        assert ledger.complete_load(loading, delivery) is None
        ledger.finish(
            loading, delivery, ledger.begin(loading, delivery), ledger.Tally(), KeyCache()
        )
        cursor.execute(
            "select locktype, relation::regclass::text from pg_locks where pid = pg_backend_pid() "
            "and locktype not in ('relation', 'virtualxid', 'transactionid')"
        )
        assert cursor.fetchall() == [], "no advisory lock"
        cursor.execute("select count(*) from staging.cerrojos")
        assert cursor.fetchone() == (0,)
        loading.rollback()
    modes = ("access share", "row share", "row exclusive", "share", "access exclusive")
    tables = ("cerrojos", "corrida_diaria", "cargas", "claves_mes", "mundo", "raw_ventas")
    statements = [
        f"lock table staging.{table} in {mode} mode" for table in tables for mode in modes
    ]
    statements += [
        "select from staging.cerrojos for update",
        "insert into staging.cerrojos values ('x')",
    ]
    assert _allowed(database, READER, statements) == []


def test_an_advisory_lock_of_a_reader_stops_no_load_of_a_world(database: RdsDatabase) -> None:
    day = datetime.date(2024, 1, 1)
    first, second = (
        Delivered(Path(), World(seed, 0.1, day, DAY, model="x"), {}, {}) for seed in (1, 2)
    )
    with ExitStack() as stack:
        reader, one, other = (
            stack.enter_context(closing(_session(database, role)))
            for role in (READER, LOADER, LOADER)
        )
        with reader.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(5020002), pg_advisory_lock(5020002, 1)")
        claim(one, first)
        claim(other, first)
        other.rollback()
        with pytest.raises(LoadError, match="another simulated world is being loaded"):
            claim(other, second)
        one.close()
        while database.query(
            "select from pg_stat_activity where pid = %s", one.info.backend_pid
        ):  # the server notices with a delay
            pass
        claim(other, second)


def test_the_daily_runs_lock_is_the_transformers_and_holds_nothing_up(
    database: RdsDatabase, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        first, second, third, reader = (
            stack.enter_context(closing(_session(database, role)))
            for role in (TRANSFORMER, TRANSFORMER, TRANSFORMER, READER)
        )
        with reader.cursor() as cursor:  # what stopped a run before
            cursor.execute("select pg_advisory_lock(hashtextextended('retail daily run', 0))")
        assert daily._take(first)
        assert not daily._take(second)
        assert database.query(
            "select backend_xmin, backend_xid from pg_stat_activity where pid = %s",
            first.info.backend_pid,
        ) == [(None, None)]
        report = _load(database, write(tmp_path, "ventas_1.parquet", sales(DAY, range(1, 4))))
        assert not report.failed
        first.close()
        assert daily._take(third)


def test_readers_leave_connections_to_the_daily_run(database: RdsDatabase) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(closing(_session(database, READER)))
        with pytest.raises(psycopg2.OperationalError, match="too many connections for role"):
            _session(database, READER)
        assert database.query_as(TRANSFORMER, "select 1 as a") == [(1,)]


def test_a_reader_who_reads_for_ever_holds_up_an_exchange_and_can_be_found(
    database: RdsDatabase,
) -> None:
    database.query_as(TRANSFORMER, "create table retail.hecho as select 1 as a")
    with closing(_session(database, READER)) as reader, reader.cursor() as cursor:
        cursor.execute("set idle_in_transaction_session_timeout = 0")
        cursor.execute("select * from retail.hecho")
        with pytest.raises(errors.LockNotAvailable):
            database.query_as(
                TRANSFORMER, "lock table retail.hecho in access exclusive mode nowait"
            )
        # The administrator, a member of each role, sees and ends it, as the runbook says.
        database.end_sessions_of(READER)
        database.query_as(TRANSFORMER, "lock table retail.hecho in access exclusive mode")


def test_a_stolen_password_that_was_changed_is_set_again(
    database: RdsDatabase, passwords: None
) -> None:
    database.query_as(LOADER, f"alter role {LOADER} password 'stolen'")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        database.query_as(LOADER, "select 1")
    environment = database.environment_of(MASTER)
    password = database.standin.passwords[LOADER]
    run_script("bootstrap_roles.py", env=environment | {"RETAIL_LOADER_PASSWORD": password})
    assert database.query_as(LOADER, "select 1 as a") == [(1,)]


def test_a_leaked_loader_falsifies_deliveries_and_reaches_nothing_published(
    database: RdsDatabase, tmp_path: Path
) -> None:
    _load(database, write(tmp_path, "ventas_1.parquet", sales(DAY, range(1, 4))))
    database.query_as(TRANSFORMER, "create table retail.hecho as select 1 as a")
    assert (
        _allowed(
            database,
            LOADER,
            (can := ["delete from staging.raw_ventas", "lock table staging.raw_ventas"])
            + ["select * from retail.hecho", "delete from retail.hecho", "drop table retail.hecho"]
            + ["update staging.raw_ventas set linea = 1", "delete from cuarentena.filas_archivo"],
        )
        == can
    )


def test_a_leaked_reader_reads_what_is_published_and_nothing_else(database: RdsDatabase) -> None:
    database.query_as(TRANSFORMER, "create table retail.hecho as select 1 as a")
    assert (
        _allowed(
            database,
            READER,
            (can := ["select * from retail.hecho"])
            + ["delete from retail.hecho", "select * from staging.raw_ventas"]
            + ["select * from staging.cargas", "select * from cuarentena.filas_archivo"],
        )
        == can
    )


def test_a_leaked_transformer_changes_what_is_published_and_no_delivery(
    database: RdsDatabase,
) -> None:
    database.query_as(TRANSFORMER, "create table retail.hecho as select 1 as a")
    assert (
        _allowed(
            database,
            TRANSFORMER,
            (can := ["delete from retail.hecho", "select * from staging.raw_ventas"])
            + ["delete from staging.raw_ventas", "update staging.cargas set estado = 'fallida'"]
            + ["insert into staging.versiones_mes values ('x', now(), 1, 1, now())"]
            + ["set role retail_owner", "create role x", "alter role retail_loader password 'x'"]
            + ["copy (select 1) to program 'true'", "select pg_read_file('/etc/passwd')"],
        )
        == can
    )
