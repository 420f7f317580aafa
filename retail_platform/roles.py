"""The database roles of the platform and what each may do (docs/security.md).

Four roles, so that a leaked credential of one cannot do the work of another. Everything here is
done by an administrator who is no superuser (the master user of RDS), in one transaction, and can
be repeated: a second run changes nothing.

Whoever owns a table decides which code runs when somebody else reads it (policies, rules, generated
columns), so what the transformer reads belongs to a role nobody logs in as.
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
from retail_platform.loading import schema as loading
from retail_platform.loading.errors import LoadError
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
            keeps look-alike objects in other schemas out. Without row security a table with a
            policy is refused instead of read in part.
        connections: How many it may have at a time; -1 for any number.
    """

    name: str
    password_variable: str | None = None
    database: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    connections: int = -1


_PINNED = {"search_path": "", "row_security": "off", "client_encoding": "UTF8"}

OWNER = Role(loading.OWNER)
LOADER = Role(
    "retail_loader",
    "RETAIL_LOADER_PASSWORD",
    ("connect",),
    {
        **_PINNED,
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
        **_PINNED,
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
        "client_encoding": "UTF8",
    },
    # The smallest instance allows 98: readers must leave some to the daily run.
    connections=50,
)
ROLES = (OWNER, LOADER, TRANSFORMER, READER)
LOGINS = (LOADER, TRANSFORMER, READER)

# What a role may do in a schema.
_SCHEMA_PRIVILEGES = {
    LOADER.name: {"staging": "usage", "cuarentena": "usage"},
    TRANSFORMER.name: {schema: "usage, create" for schema in SCHEMAS},
    READER.name: {"retail": "usage"},
}
# Who may do what with the tables of whom in which schema, those that will be made included.
_TABLE_PRIVILEGES = (
    (LOADER.name, OWNER.name, "staging", ("select", "insert", "delete")),
    (LOADER.name, OWNER.name, "cuarentena", ("select", "insert")),
    (TRANSFORMER.name, OWNER.name, "staging", ("select",)),
    (TRANSFORMER.name, OWNER.name, "cuarentena", ("select",)),
    (READER.name, TRANSFORMER.name, "retail", ("select",)),
)
_BOOKKEEPING_GRANTS = f"""
grant update on staging.cargas, staging.versiones_mes, staging.claves_mes, staging.mundo,
    {loading.RUNS} to {LOADER.name};
-- Whoever may change a table may lock it.
grant update on {loading.DAILY_LOCK} to {TRANSFORMER.name};
grant execute on function {loading.PARTITION_FUNCTION}(text, date) to {LOADER.name};
"""

# Relations that were made before the roles existed, by a single user, or belonged to the loader.
# What the transformer made stays its own: under another owner it could do more than its maker.
_FOREIGN_RELATIONS = """
select
    c.oid::regclass::text,
    case
        when c.relkind in ('r', 'p') and (
            n.nspname || '.' || c.relname = any(%(names)s)
            or n.nspname = 'staging' and starts_with(c.relname, 'raw_')
            or pg_get_userbyid(c.relowner) = %(loader)s
        ) then %(owner)s
        else %(transformer)s
    end
from pg_catalog.pg_class c
inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where
    n.nspname = any(%(schemas)s) and c.relkind in ('r', 'p', 'v', 'm')
    and pg_get_userbyid(c.relowner) not in (%(owner)s, %(transformer)s)
"""

# Code that somebody else than dbt left where it runs as whoever reads: an older version let the
# loader own the raw tables.
_PLANTED = """
with platform as (
    select c.oid, c.relkind, c.relrowsecurity, c.relowner
    from pg_catalog.pg_class c
    inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any(%(schemas)s) and pg_get_userbyid(c.relowner) <> %(transformer)s
), powerless as (
    select oid from pg_catalog.pg_roles where rolname = any(%(powerless)s)
)
select 'policy ' || polname || ' on ' || polrelid::regclass
from pg_catalog.pg_policy inner join platform on platform.oid = polrelid
union all
select 'row security of ' || oid::regclass from platform where relrowsecurity
union all
select 'rule ' || rulename || ' on ' || ev_class::regclass
from pg_catalog.pg_rewrite inner join platform on platform.oid = ev_class
where rulename <> '_RETURN'
union all
select 'trigger ' || tgname || ' on ' || tgrelid::regclass
from pg_catalog.pg_trigger inner join platform on platform.oid = tgrelid
where not tgisinternal
union all
select 'view ' || oid::regclass
from platform where relkind in ('v', 'm') and relowner in (select oid from powerless)
union all
select 'function ' || oid::regprocedure
from pg_catalog.pg_proc where proowner in (select oid from powerless)
union all
select 'operator ' || oid::regoperator
from pg_catalog.pg_operator where oprowner in (select oid from powerless)
union all
select 'type ' || oid::regtype
from pg_catalog.pg_type
where typowner in (select oid from powerless) and typtype in ('d', 'e', 'r', 'b') and typelem = 0
"""


def create_roles(
    administrator: Mapping[str, str],
    passwords: Mapping[str, str],
    *,
    iam: bool = False,
    reader_until: str = "infinity",
) -> frozenset[str]:
    """Create or repair the roles, the schemas and every privilege, in one transaction.

    Args:
        administrator: libpq parameters of a role with CREATEROLE that owns the database.
        passwords: Passwords by role name; a role that is not in it keeps the one it has. Only
            SCRAM verifiers are sent, so a server that logs statements never logs a password.
        iam: Whether the roles log in with IAM tokens instead of passwords (RDS only).
        reader_until: Timestamp after which the reader's password is refused.

    Returns:
        Names of the roles that have no password now. Only a superuser may look: of a role that
        was there before, another administrator is told nothing.

    Raises:
        UserError: If the server or the administrator cannot do it; nothing is changed then.
    """
    with closing(connect(administrator)) as session:
        try:
            with session, session.cursor() as cursor:
                # The transformer may make a schema of the administrator's name, which comes first.
                cursor.execute("set local search_path = pg_catalog, pg_temp")
                _check_administrator(cursor, session.server_version)
                _refuse_planted(cursor)
                created = _create_roles(cursor, reader_until)
                _pin_administrator(cursor)
                _create_schemas(cursor)
                _adopt_relations(cursor)
                loading.create_tables(cursor)
                _grant(cursor)
                if iam:
                    _use_iam(cursor)
                for role, password in passwords.items():
                    _set_password(cursor, session, role, password)
                return _without_password(cursor, created - passwords.keys())
        except psycopg2.errors.InsufficientPrivilege as error:
            raise UserError(
                f"The roles were not created, nothing was changed: {str(error).strip()}\n"
                "Connect as the user who owns the database and, if the roles exist, created them "
                "(on RDS: the master user)."
            ) from None
        except LoadError as error:
            raise UserError(f"The roles were not created, nothing was changed: {error}") from None


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


def _refuse_planted(cursor: Cursor) -> None:
    """Refuse to give what the loader or the reader made to a role that may do more."""
    names = {"powerless": [LOADER.name, READER.name], "transformer": TRANSFORMER.name}
    cursor.execute(_PLANTED, {"schemas": list(loading.SCHEMAS), **names})
    found = [name for (name,) in cursor.fetchall()]
    if found:
        raise UserError(
            f"Nothing was changed: {'; '.join(found)}: none of these is the platform's, and they "
            "could run as whoever reads. Look who made them, then drop them and run this again "
            "(docs/security.md)."
        )


def _without_password(cursor: Cursor, created: frozenset[str]) -> frozenset[str]:
    """Of the roles that log in, those that have no password; at least those just created."""
    cursor.execute("select has_table_privilege('pg_catalog.pg_authid', 'select')")
    if cursor.fetchall() != [(True,)]:
        return created & {role.name for role in LOGINS}
    cursor.execute(
        "select rolname::text from pg_catalog.pg_authid "
        "where rolname = any(%s) and rolpassword is null",
        [[role.name for role in LOGINS]],
    )
    return frozenset(name for (name,) in cursor.fetchall())


def _create_roles(cursor: Cursor, reader_until: str) -> frozenset[str]:
    """Create what is missing, set what each has; the names of those that were missing."""
    members = _administrators(cursor)
    created = set()
    for role in ROLES:
        name = sql.Identifier(role.name)
        cursor.execute("select from pg_roles where rolname = %s", [role.name])
        if cursor.rowcount == 0:
            cursor.execute(sql.SQL("create role {}").format(name))
            created.add(role.name)
        login = sql.SQL("login" if role.password_variable else "nologin")
        cursor.execute(
            sql.SQL("alter role {} {} nocreatedb nocreaterole inherit connection limit {}").format(
                name, login, sql.Literal(role.connections)
            )
        )
        # Whoever hands out ownership and default privileges must be a member of the role.
        for member in members:
            cursor.execute(sql.SQL("grant {} to {}").format(name, sql.Identifier(member)))
        # A role may change its own settings, for its later sessions too.
        cursor.execute(sql.SQL("alter role {} reset all").format(name))
        cursor.execute(
            sql.SQL("alter role {} in database {} reset all").format(
                name, sql.Identifier(_database(cursor))
            )
        )
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
    return frozenset(created)


def _administrators(cursor: Cursor) -> list[str]:
    """Who works in every role's name: the caller, or for a superuser the database's owner."""
    cursor.execute(
        "select case when rolsuper then pg_get_userbyid(datdba) else current_user end "
        "from pg_roles cross join pg_database "
        "where rolname = current_user and datname = current_database()"
    )
    names = {str(name) for (name,) in cursor.fetchall()}
    return sorted(names - {role.name for role in ROLES})


def _database(cursor: Cursor) -> str:
    cursor.execute("select current_database()")
    ((name,),) = cursor.fetchall()
    return str(name)


def _pin_administrator(cursor: Cursor) -> None:
    """Keep schemas that the transformer may make out of the administrator's later sessions."""
    cursor.execute(
        sql.SQL(
            "alter role current_user in database {} set search_path = pg_catalog, public, pg_temp"
        ).format(sql.Identifier(_database(cursor)))
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
    roles = {"owner": OWNER.name, "loader": LOADER.name, "transformer": TRANSFORMER.name}
    names = {"names": list(loading.BOOKKEEPING), "schemas": list(SCHEMAS)}
    cursor.execute(_FOREIGN_RELATIONS, roles | names)
    everybody = sql.SQL(", ").join([sql.SQL("public"), *(sql.Identifier(r.name) for r in LOGINS)])
    for relation, owner in cursor.fetchall():
        # regclass quotes its text; ALTER TABLE takes views and materialized views too.
        name = sql.SQL(relation)
        cursor.execute(sql.SQL("alter table {} owner to {}").format(name, sql.Identifier(owner)))
        # What its old owner had granted to whomever is not what its new owner grants below.
        cursor.execute(sql.SQL("revoke all on {} from {}").format(name, everybody))
        cursor.execute(sql.SQL("grant all on {} to {}").format(name, sql.Identifier(owner)))
    cursor.execute(
        "select from pg_proc where oid = to_regprocedure(%s) "
        "and pg_get_userbyid(proowner) not in (%s, %s)",
        [f"{loading.PARTITION_FUNCTION}(text, date)", OWNER.name, TRANSFORMER.name],
    )
    if cursor.rowcount:
        cursor.execute(
            f"alter function {loading.PARTITION_FUNCTION}(text, date) owner to {OWNER.name}"
        )


def _grant_on_schemas(cursor: Cursor) -> None:
    # It once made its tables itself.
    cursor.execute(f"revoke create on schema staging, cuarentena from {LOADER.name}")
    for role, schemas in _SCHEMA_PRIVILEGES.items():
        for schema, privileges in schemas.items():
            cursor.execute(
                sql.SQL("grant {} on schema {} to {}").format(
                    sql.SQL(privileges), sql.Identifier(schema), sql.Identifier(role)
                )
            )


def _grant(cursor: Cursor) -> None:
    database = _database(cursor)
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
    for schema in loading.SCHEMAS:  # as above
        cursor.execute(
            f"alter default privileges for role {LOADER.name} in schema {schema} "
            f"revoke select on tables from {TRANSFORMER.name}"
        )
    for role_name, maker, schema, privileges in _TABLE_PRIVILEGES:
        for privilege in privileges:
            _grant_on_tables(cursor, privilege, role_name, maker, schema)
    cursor.execute(_BOOKKEEPING_GRANTS)


def _grant_on_tables(cursor: Cursor, privilege: str, role: str, maker: str, schema: str) -> None:
    """Grant a privilege on the tables that a maker has and will have in a schema."""
    cursor.execute(
        sql.SQL(
            "alter default privileges for role {} in schema {} grant {} on tables to {}"
        ).format(
            *(sql.Identifier(maker), sql.Identifier(schema)),
            *(sql.SQL(privilege), sql.Identifier(role)),
        )
    )
    cursor.execute(
        "select oid::regclass::text from pg_class where relkind in ('r', 'p', 'v', 'm') "
        "and relnamespace = %s::regnamespace and pg_get_userbyid(relowner) = %s "
        "and not has_table_privilege(%s, oid, %s)",
        [schema, maker, role, privilege],
    )
    for (relation,) in cursor.fetchall():
        cursor.execute(
            sql.SQL("grant {} on {} to {}").format(
                sql.SQL(privilege), sql.SQL(relation), sql.Identifier(role)
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
