"""Schemas, raw tables, ledger and monthly partitions; every statement can be run again.

Where the platform's roles exist (docs/security.md), all of it belongs to ``retail_owner``: ``make
roles`` makes it, and the loader's role makes nothing but partitions, by a function of the owner.
"""

import threading
from collections.abc import Sequence
from datetime import date

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from retail_platform.loading.errors import LoadError
from retail_platform.loading.order import ORDERS
from retail_platform.loading.tables import RAW_TABLES, RawTable

MINIMUM_SERVER = 150_000
SCHEMAS = ("staging", "cuarentena")
OWNER = "retail_owner"

# One arbitrary number: whoever makes the first tables of a database holds this advisory lock.
# Everybody can take it, so nothing that is done every day may wait for it.
_DDL_LOCK = 5_020_001

LOCKS = "staging.cerrojos"
DAILY_LOCK = "staging.corrida_diaria"
RUNS = "staging.corridas"
REPEATED = "staging.entregas_repetidas"
FINGERPRINT = "md5(jsonb_strip_nulls(to_jsonb({row}) - array['carga_id', 'fila'])::text)"
"""SQL of what a raw row says, key included; `int_*_evaluad*` compute it by the same words."""

BOOKKEEPING = {
    "staging.cargas": """
        create table staging.cargas (
            carga_id bigint generated always as identity primary key,
            tabla text not null,
            archivo text not null,
            sha256 text not null,
            tamano_bytes bigint,
            filas_entregadas bigint,
            filas_aceptadas bigint,
            filas_rechazadas bigint,
            filas_sustituidas bigint not null default 0,
            fecha_min date,
            fecha_max date,
            estado text not null check (estado in ('completa', 'fallida')),
            iniciada_en timestamptz not null,
            terminada_en timestamptz,
            error text
        )
    """,
    "staging.versiones_mes": """
        create table staging.versiones_mes (
            tabla text not null,
            mes date not null,
            version bigint not null,
            filas bigint not null,
            actualizada_en timestamptz not null,
            primary key (tabla, mes)
        )
    """,
    # Smallest and largest key of each month, and all of them where they were needed: moves.py.
    "staging.claves_mes": """
        create table staging.claves_mes (
            tabla text not null,
            mes date not null,
            clave_min bigint not null,
            clave_max bigint not null,
            version bigint not null,
            claves bytea,
            primary key (tabla, mes)
        );
        alter table staging.claves_mes alter column claves set storage external
    """,
    # Rows that a load replaced in months that it does not deliver.
    "staging.filas_movidas": """
        create table staging.filas_movidas (
            tabla text not null,
            carga_id bigint not null,
            carga_anterior bigint not null,
            mes date not null,
            filas bigint not null,
            primary key (carga_id, carga_anterior, mes)
        )
    """,
    # What the newest load of a folder found there and passed over, for the report.
    "staging.archivos_omitidos": """
        create table staging.archivos_omitidos (
            ruta text not null,
            motivo text not null,
            visto_en timestamptz not null
        )
    """,
    # The place of each load among those of its table: order.py.
    ORDERS: f"""
        create table {ORDERS} (carga_id bigint primary key, orden text not null)
    """,
    # Deliveries of catalogue rows that said again what an earlier and a later one say.
    REPEATED: f"""
        create table {REPEATED} (
            tabla text not null,
            carga_id bigint not null,
            fila bigint not null,
            huella text not null,
            primary key (tabla, carga_id, fila)
        )
    """,
    # The simulated world that the database holds, at most one; none if the data are real.
    "staging.mundo": """
        create table staging.mundo (
            unico boolean primary key default true check (unico),
            semilla numeric not null,
            escala double precision not null,
            primer_dia date not null,
            ultimo_dia date not null,
            sucio double precision not null,
            modelo text,
            cargado_en timestamptz not null
        )
    """,
    "cuarentena.filas_archivo": """
        create table cuarentena.filas_archivo (
            carga_id bigint not null,
            tabla text not null,
            archivo text not null,
            fila bigint not null,
            columna text,
            motivo text not null,
            texto_original text,
            rechazada_en timestamptz not null
        );
        create index filas_archivo_carga_id_idx on cuarentena.filas_archivo (carga_id)
    """,
    # The daily runs, for retail.corridas: retail_platform/runs.py.
    RUNS: f"""
        create table {RUNS} (
            corrida_id bigint generated always as identity primary key,
            iniciada_en timestamptz not null,
            terminada_en timestamptz,
            resultado text not null,
            codigo_salida smallint,
            archivos_cargados bigint,
            archivos_fallidos bigint,
            filas_entregadas bigint,
            filas_aceptadas bigint,
            filas_rechazadas bigint,
            segundos_comparacion numeric(9,3),
            segundos_carga numeric(9,3),
            segundos_construccion numeric(9,3),
            segundos_frescura numeric(9,3),
            segundos_informe numeric(9,3)
        )
    """,
    LOCKS: f"""
        create table {LOCKS} (nombre text primary key);
        comment on table {LOCKS} is
            'Always empty: a load waits here for another one that inserted the same name.'
    """,
    DAILY_LOCK: f"""
        create table {DAILY_LOCK} ();
        comment on table {DAILY_LOCK} is 'Always empty: the daily run locks it while it lasts.'
    """,
}

PARTITION_FUNCTION = "staging.crear_particion"

# Exactly what a load needs, in its owner's name. ATTACH takes SHARE UPDATE EXCLUSIVE on the parent,
# so neither readers nor other loads wait, where `create table ... partition of` would lock all of
# them out until the load commits. The same lock, taken first, lets one session at a time look
# whether the partition is there.
_PARTITION_BODY = """
declare
    desde constant date := date_trunc('month', mes);
    particion constant text := format('%s_p%s', tabla, to_char(mes, 'YYYYMM'));
    padre constant oid := (
        select c.oid
        from pg_class c
        where c.relnamespace = 'staging'::regnamespace
            and c.relname = tabla
            and c.relkind = 'p'
            and c.relowner = current_user::regrole
            and starts_with(c.relname, 'raw_')
    );
    hallada oid;
begin
    if padre is null then
        raise exception 'staging.% is no raw table with monthly partitions', tabla;
    end if;
    execute format('lock table only staging.%I in share update exclusive mode', tabla);
    select c.oid into hallada
    from pg_class c
    where c.relnamespace = 'staging'::regnamespace and c.relname = particion;
    if exists (select from pg_inherits where inhrelid = hallada and inhparent = padre) then
        return;
    elsif hallada is not null then
        raise exception 'staging.% exists but is no partition of staging.%: attach it or drop it',
            particion, tabla;
    end if;
    execute format('create table staging.%I (like staging.%I)', particion, tabla);
    execute format(
        'alter table staging.%I attach partition staging.%I for values from (%L) to (%L)',
        tabla, particion, desde, (desde + interval '1 month')::date
    );
end
"""

_PARTITION_DDL = f"""
create or replace function {PARTITION_FUNCTION}(tabla text, mes date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $body${_PARTITION_BODY}$body$;
revoke all on function {PARTITION_FUNCTION}(text, date) from public
"""


def prepare(connection: Connection) -> None:
    """Create what the loader needs and is missing, in one transaction.

    Args:
        connection: An open connection outside a transaction.

    Raises:
        LoadError: As `ensure_tables`, or the user may not load.
    """
    ensure_tables(connection)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select current_user, current_database() from pg_catalog.pg_class c "
            "inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname || '.' || c.relname = %s and not has_table_privilege(c.oid, 'insert')",
            (LOCKS,),
        )
        for user, database in cursor.fetchall():
            raise LoadError(
                f"{user} may not load into database {database}: connect as the user who owns its "
                "tables or, where the platform's roles exist, as retail_loader"
            )


def ensure_tables(connection: Connection) -> None:
    """Create the tables that are missing, in one transaction.

    Args:
        connection: An open connection outside a transaction.

    Raises:
        LoadError: The server is older than 15, or the user may not make what is missing.
    """
    if connection.server_version < MINIMUM_SERVER:
        raise LoadError(
            f"the server is PostgreSQL {connection.server_version // 10_000}; "
            f"at least {MINIMUM_SERVER // 10_000} is needed: upgrade it or choose another target"
        )
    with connection, connection.cursor() as cursor:
        if _missing(cursor):
            # Two loads may start on an empty database at the same time.
            cursor.execute("select pg_advisory_xact_lock(%s)", (_DDL_LOCK,))
            create_tables(cursor)


def create_tables(cursor: Cursor) -> None:
    """Create what is missing; in the name of ``retail_owner`` where that role owns the schemas.

    Raises:
        LoadError: A schema belongs to somebody else.
    """
    missing = _missing(cursor)
    if not missing:
        return
    for schema in SCHEMAS:
        _create_schema(cursor, schema, missing)
    cursor.execute(
        "select from pg_catalog.pg_namespace "
        "where nspname = 'staging' and nspowner = to_regrole(%s) and nspowner <> user::regrole",
        (OWNER,),
    )
    if cursor.rowcount:
        cursor.execute(f"set local role {OWNER}")
    for relation in missing:
        cursor.execute(_ddl()[relation])
    _distribute(cursor, missing)
    cursor.execute("reset role")


def _distribute(cursor: Cursor, relations: Sequence[str]) -> None:
    """On a Citus cluster, spread new raw tables over the workers; their partitions follow them."""
    cursor.execute("select from pg_catalog.pg_extension where extname = 'citus'")
    if not cursor.rowcount:
        return
    for table in RAW_TABLES.values():
        if table.distributed_by and f"staging.{table.name}" in relations:
            cursor.execute(
                "select create_distributed_table(%s, %s)",
                (f"staging.{table.name}", table.distributed_by),
            )


def _ddl() -> dict[str, str]:
    raw = {f"staging.{table.name}": _table_ddl(table) for table in RAW_TABLES.values()}
    return BOOKKEEPING | raw | {PARTITION_FUNCTION: _PARTITION_DDL} | _COLUMN_DDL


_COLUMN_DDL = {
    f"staging.{table.name}.{column.name}": f"alter table staging.{table.name} "
    f"add column if not exists {column.name} {column.sql_type}"
    for table in RAW_TABLES.values()
    for column in table.columns
}
"""For tables that an earlier version of this project made: rows that they hold have no value."""


def _missing(cursor: Cursor) -> list[str]:
    """What does not exist, or is a function of another version of this project or owner.

    What exists is left alone: "create index if not exists" would wait for the loads that are
    writing into its table.
    """
    cursor.execute(
        """
        select n.nspname || '.' || c.relname
        from pg_catalog.pg_class c
        inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(%(schemas)s)
        union all
        select %(function)s
        from pg_catalog.pg_proc p
        inner join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        inner join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = 'cargas'
        where
            n.nspname || '.' || p.proname = %(function)s
            and p.prosrc = %(body)s
            and p.prosecdef
            -- Not somebody else's of the same text.
            and p.proowner = c.relowner
        union all
        select n.nspname || '.' || c.relname || '.' || a.attname
        from pg_catalog.pg_attribute a
        inner join pg_catalog.pg_class c on c.oid = a.attrelid
        inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname || '.' || c.relname = any(%(tables)s) and not a.attisdropped
        """,
        {
            "schemas": list(SCHEMAS),
            "function": PARTITION_FUNCTION,
            "body": _PARTITION_BODY,
            "tables": [f"staging.{name}" for name in RAW_TABLES],
        },
    )
    found = {name for (name,) in cursor.fetchall()}
    # A table that is missing comes with its columns.
    new = {name for name in _COLUMN_DDL if name.rpartition(".")[0] not in found}
    return [name for name in _ddl() if name not in found | new]


def _create_schema(cursor: Cursor, schema: str, missing: Sequence[str]) -> None:
    """Create a schema, or make sure that the caller may create tables in the existing one."""
    cursor.execute(
        """
        select pg_get_userbyid(nspowner), pg_has_role(nspowner, 'member'),
               has_schema_privilege(oid, 'CREATE') and has_schema_privilege(oid, 'USAGE'),
               current_user, current_database()
        from pg_namespace where nspname = %s
        """,
        (schema,),
    )
    found = cursor.fetchone()
    if found is None:
        cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
        return
    owner, member, allowed, user, database = found
    if owner == OWNER and not member:
        raise LoadError(
            f"database {database} lacks {', '.join(missing)}, which {user} may not make: the "
            "administrator makes them with `make roles` (docs/runbook.md)"
        )
    if not allowed:
        raise LoadError(
            f"schema {schema} of database {database} belongs to {owner} and {user} may not create "
            f"tables in it: connect as {owner}, use another database, or let {owner} run "
            f"GRANT CREATE, USAGE ON SCHEMA {schema} TO {user}"
        )


def _table_ddl(table: RawTable) -> str:
    """CREATE TABLE of a raw table; names and types come from the constants of ``tables``."""
    columns = [f"{column.name} {column.sql_type}" for column in table.columns]
    columns += ["carga_id integer", "fila integer"]
    partitioned = (
        f" partition by range ({table.partition_column})" if table.partition_column else ""
    )
    return f"create table staging.{table.name} ({', '.join(columns)}){partitioned}"


def partition_name(table: RawTable, month: date) -> str:
    """Name of the partition of a month: ``raw_ventas_p202401``."""
    return f"{table.name}_p{month:%Y%m}"


class Partitions:
    """Makes the monthly partitions that a load meets, each in a short transaction of its own.

    An empty partition that a failed load leaves behind is invisible to readers.
    """

    def __init__(self, connection: Connection) -> None:
        """Use ``connection``, which must not be one that loads; threads take turns."""
        self._connection = connection
        self._turn = threading.Lock()
        self._known: set[str] = set()

    def ensure(self, table: RawTable, month: date) -> None:
        """Make the partition of a month if it does not exist.

        Raises:
            LoadError: A table of the partition's name exists and is no partition of the table.
        """
        name = partition_name(table, month)
        with self._turn:
            if name not in self._known:
                self._create(table, month)
                self._known.add(name)

    def _create(self, table: RawTable, month: date) -> None:
        try:
            with self._connection, self._connection.cursor() as cursor:
                # Types as declared: nobody else's function of that name fits as well.
                cursor.execute(
                    f"select {PARTITION_FUNCTION}(%s::text, %s::date)", (table.name, month)
                )
        except psycopg2.errors.RaiseException as error:
            raise LoadError(str(error.diag.message_primary)) from None
