"""The database roles of the platform and what each may do (docs/decisions/adr-0030).

Four roles, so that a leaked credential of one cannot do the work of another. Everything here is
done by an administrator who is no superuser (the master user of RDS), in one transaction, and can
be repeated: a second run changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import encrypt_password

from retail_platform.errors import UserError
from retail_platform.postgres.connection import connect
from retail_platform.targets import OLDEST_MAJOR, SCHEMAS


@dataclass(frozen=True)
class Role:
    """A role of the platform.

    Attributes:
        name: Its name.
        password_variable: Environment variable of its password; None for a role without login.
        database: Privileges on the database.
        settings: Session defaults. An empty search_path proves that no SQL relies upon it, and
            keeps look-alike objects in other schemas out.
    """

    name: str
    password_variable: str | None = None
    database: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


OWNER = Role("retail_owner")
LOADER = Role(
    "retail_loader",
    "RETAIL_LOADER_PASSWORD",
    ("connect",),
    {
        "search_path": "",
        "lock_timeout": "10min",
        "statement_timeout": "1h",
        "idle_in_transaction_session_timeout": "30min",
    },
)
TRANSFORMER = Role(
    "retail_transformer",
    "RETAIL_TRANSFORMER_PASSWORD",
    # dbt's unit tests make temporary tables, its operations archive schemas.
    ("connect", "temporary", "create"),
    {
        "search_path": "",
        "lock_timeout": "10min",
        "statement_timeout": "1h",
        "idle_in_transaction_session_timeout": "30min",
    },
)
READER = Role(
    "retail_reader",
    "RETAIL_READER_PASSWORD",
    ("connect",),
    {
        "search_path": "retail",
        # A forgotten query or transaction must not hold back the nightly exchange of partitions.
        "statement_timeout": "5min",
        "idle_in_transaction_session_timeout": "5min",
        "default_transaction_read_only": "on",
    },
)
ROLES = (OWNER, LOADER, TRANSFORMER, READER)
LOGINS = (LOADER, TRANSFORMER, READER)

# What a role may do in a schema, and what it may do with what another role makes there.
_SCHEMA_PRIVILEGES = {
    LOADER.name: {"staging": "usage, create", "cuarentena": "usage, create"},
    TRANSFORMER.name: {schema: "usage, create" for schema in SCHEMAS},
    READER.name: {"retail": "usage"},
}
_READS = (  # who reads what whom makes in which schema
    (TRANSFORMER.name, LOADER.name, "staging"),
    (TRANSFORMER.name, LOADER.name, "cuarentena"),
    (READER.name, TRANSFORMER.name, "retail"),
)

# Relations that were made before the roles existed, by a single user.
_FOREIGN_RELATIONS = """
select oid::regclass::text, owner
from (
    select
        c.oid,
        c.relowner,
        case
            when n.nspname = 'staging' and c.relname ~ '^(raw_|cargas$|versiones_mes$)'
                or n.nspname = 'cuarentena' and c.relname = 'filas_archivo'
                then %s
            else %s
        end as owner
    from pg_catalog.pg_class c
    inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm')
) as relations
where pg_get_userbyid(relowner) <> owner
"""


def create_roles(
    administrator: Mapping[str, str],
    passwords: Mapping[str, str],
    *,
    iam: bool = False,
    reader_until: str = "infinity",
) -> None:
    """Create or repair the roles, the schemas and every privilege, in one transaction.

    Args:
        administrator: libpq parameters of a role with CREATEROLE that owns the database.
        passwords: Passwords by role name; a role that is not in it keeps the one it has. Only
            SCRAM verifiers are sent, so a server that logs statements never logs a password.
        iam: Whether the roles log in with IAM tokens instead of passwords (RDS only).
        reader_until: Timestamp after which the reader's password is refused.

    Raises:
        UserError: If the server or the administrator cannot do it; nothing is changed then.
    """
    with closing(connect(administrator)) as session:
        try:
            with session, session.cursor() as cursor:
                _check_administrator(cursor, session.server_version)
                _create_roles(cursor, reader_until)
                _create_schemas(cursor)
                _adopt_relations(cursor)
                _grant(cursor)
                if iam:
                    _use_iam(cursor)
                for role, password in passwords.items():
                    _set_password(cursor, session, role, password)
        except psycopg2.errors.InsufficientPrivilege as error:
            raise UserError(
                f"The roles were not created, nothing was changed: {str(error).strip()}\n"
                "Connect as the user who owns the database and, if the roles exist, created them "
                "(on RDS: the master user)."
            ) from None


def _check_administrator(cursor: Cursor, version: int) -> None:
    if version < OLDEST_MAJOR * 10_000:
        raise UserError(
            f"The server is PostgreSQL {version // 10_000}; {OLDEST_MAJOR} or newer is needed."
        )
    cursor.execute(
        """
        select current_user, current_database(), rolcreaterole or rolsuper,
            pg_has_role(datdba, 'member')
        from pg_roles
        cross join pg_database
        where rolname = current_user and datname = current_database()
        """
    )
    ((user, database, creates, owns),) = cursor.fetchall()
    if not creates or not owns:
        lacks = "may not create roles" if not creates else f"does not own database '{database}'"
        raise UserError(f"'{user}' {lacks}. Connect as the master user of RDS, or as such a user.")


def _create_roles(cursor: Cursor, reader_until: str) -> None:
    for role in ROLES:
        name = sql.Identifier(role.name)
        cursor.execute("select from pg_roles where rolname = %s", [role.name])
        if cursor.rowcount == 0:
            cursor.execute(sql.SQL("create role {}").format(name))
        login = sql.SQL("login" if role.password_variable else "nologin")
        cursor.execute(
            sql.SQL("alter role {} {} nocreatedb nocreaterole inherit").format(name, login)
        )
        # Whoever hands out ownership and default privileges must be a member of the role.
        cursor.execute(sql.SQL("grant {} to current_user").format(name))
        for setting, value in role.settings.items():
            cursor.execute(
                sql.SQL("alter role {} set {} = {}").format(
                    name, sql.Identifier(setting), sql.Literal(value)
                )
            )
    cursor.execute(
        sql.SQL("alter role {} valid until {}").format(
            sql.Identifier(READER.name), sql.Literal(reader_until)
        )
    )


def _create_schemas(cursor: Cursor) -> None:
    for schema in SCHEMAS:
        name, owner = sql.Identifier(schema), sql.Identifier(OWNER.name)
        cursor.execute("select from pg_namespace where nspname = %s", [schema])
        if cursor.rowcount == 0:
            cursor.execute(sql.SQL("create schema {} authorization {}").format(name, owner))
        else:
            cursor.execute(sql.SQL("alter schema {} owner to {}").format(name, owner))


def _adopt_relations(cursor: Cursor) -> None:
    """Give relations of a single-user installation to the role that works with them."""
    # The new owner must be allowed to create in the schema.
    _grant_on_schemas(cursor)
    cursor.execute(_FOREIGN_RELATIONS, [LOADER.name, TRANSFORMER.name, list(SCHEMAS)])
    for relation, owner in cursor.fetchall():
        # regclass quotes its text; ALTER TABLE takes views and materialized views too.
        cursor.execute(
            sql.SQL("alter table {} owner to {}").format(sql.SQL(relation), sql.Identifier(owner))
        )


def _grant_on_schemas(cursor: Cursor) -> None:
    for role, schemas in _SCHEMA_PRIVILEGES.items():
        for schema, privileges in schemas.items():
            cursor.execute(
                sql.SQL("grant {} on schema {} to {}").format(
                    sql.SQL(privileges), sql.Identifier(schema), sql.Identifier(role)
                )
            )


def _grant(cursor: Cursor) -> None:
    cursor.execute("select current_database()")
    ((database,),) = cursor.fetchall()
    cursor.execute(
        sql.SQL("revoke all on database {} from public").format(sql.Identifier(database))
    )
    cursor.execute("revoke all on schema public from public")
    for role in LOGINS:
        cursor.execute(
            sql.SQL("grant {} on database {} to {}").format(
                sql.SQL(", ".join(role.database)),
                sql.Identifier(database),
                sql.Identifier(role.name),
            )
        )
    for role in ROLES:
        cursor.execute(
            sql.SQL(
                "alter default privileges for role {} revoke execute on functions from public"
            ).format(sql.Identifier(role.name))
        )
    for reader, maker, schema in _READS:
        cursor.execute(
            sql.SQL(
                "alter default privileges for role {} in schema {} grant select on tables to {}"
            ).format(*map(sql.Identifier, (maker, schema, reader)))
        )
        cursor.execute(
            "select oid::regclass::text from pg_class where relkind in ('r', 'p', 'v', 'm') "
            "and relnamespace = %s::regnamespace and pg_get_userbyid(relowner) = %s "
            "and not has_table_privilege(%s, oid, 'select')",
            [schema, maker, reader],
        )
        for (relation,) in cursor.fetchall():
            cursor.execute(
                sql.SQL("grant select on {} to {}").format(
                    sql.SQL(relation), sql.Identifier(reader)
                )
            )


def _use_iam(cursor: Cursor) -> None:
    cursor.execute("select from pg_roles where rolname = 'rds_iam'")
    if cursor.rowcount == 0:
        raise UserError(
            "This server has no role rds_iam: IAM tokens work on RDS only, with IAM database "
            "authentication enabled. Leave --iam out to use passwords."
        )
    for role in LOGINS:
        cursor.execute(sql.SQL("grant rds_iam to {}").format(sql.Identifier(role.name)))


def _set_password(cursor: Cursor, session: Connection, role: str, password: str) -> None:
    verifier = encrypt_password(password, role, session, "scram-sha-256")
    cursor.execute(
        sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier))
    )
