"""Schemas, raw tables, ledger and monthly partitions; every statement can be run again."""

import threading
from datetime import date

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from retail_platform.loading.errors import LoadError
from retail_platform.loading.tables import RAW_TABLES, RawTable, next_month

MINIMUM_SERVER = 150_000
SCHEMAS = ("staging", "cuarentena")

# One arbitrary number: whoever changes the shape of the schemas holds this advisory lock.
_DDL_LOCK = 5_020_001

_BOOKKEEPING = {
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
}


def prepare(connection: Connection) -> None:
    """Create what the loader needs and is missing, in one transaction.

    Args:
        connection: An open connection outside a transaction.

    Raises:
        LoadError: The server is older than 15, or a schema belongs to somebody else.
    """
    if connection.server_version < MINIMUM_SERVER:
        raise LoadError(
            f"the server is PostgreSQL {connection.server_version // 10_000}; "
            f"at least {MINIMUM_SERVER // 10_000} is needed: upgrade it or choose another target"
        )
    with connection, connection.cursor() as cursor:
        # Two loads may start on an empty database at the same time.
        cursor.execute("select pg_advisory_xact_lock(%s)", (_DDL_LOCK,))
        for schema in SCHEMAS:
            _create_schema(cursor, schema)
        raw = {f"staging.{table.name}": _table_ddl(table) for table in RAW_TABLES.values()}
        # What exists is left alone: "create index if not exists" would wait for the loads that are
        # writing into its table, while they wait for the lock above to make a partition.
        for relation, ddl in (_BOOKKEEPING | raw).items():
            cursor.execute("select to_regclass(%s) is null", (relation,))
            if cursor.fetchone() == (True,):
                cursor.execute(ddl)


def _create_schema(cursor: Cursor, schema: str) -> None:
    """Create a schema, or make sure that the caller may create tables in the existing one."""
    cursor.execute(
        """
        select pg_get_userbyid(nspowner),
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
    owner, allowed, user, database = found
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

    A partition is made as a table and then attached: ATTACH takes SHARE UPDATE EXCLUSIVE on the
    parent, so neither readers nor other loads wait, where ``create table ... partition of`` would
    lock all of them out until the load commits. An empty partition that a failed load leaves
    behind is invisible to readers.
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
                self._create(table, name, month)
                self._known.add(name)

    def _create(self, table: RawTable, name: str, month: date) -> None:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (_DDL_LOCK,))
            cursor.execute(
                """
                select i.inhparent is not null
                from pg_class c left join pg_inherits i
                    on i.inhrelid = c.oid and i.inhparent = %s::regclass
                where c.relname = %s and c.relnamespace = 'staging'::regnamespace
                """,
                (f"staging.{table.name}", name),
            )
            found = cursor.fetchone()
            if found == (True,):
                return
            if found:
                raise LoadError(
                    f"staging.{name} exists but is no partition of staging.{table.name}: "
                    "attach it or drop it"
                )
            cursor.execute(f"create table staging.{name} (like staging.{table.name})")
            cursor.execute(
                f"alter table staging.{table.name} attach partition staging.{name} "
                "for values from (%s) to (%s)",
                (month, next_month(month)),
            )
