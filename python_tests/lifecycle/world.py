"""A database with raw sales, a copy of the small project, and questions about what dbt made."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, Database
from psycopg2 import sql

from lifecycle.dbt_process import DbtProcess, start_dbt
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import ROLE, LocalServer

SMALL_PROJECT = Path(__file__).parent / "project"
# One name: the parsed project holds it, so every copy of the database can use the same parse.
DATABASE = "ciclo"
STORES = 5
FIRST_MONTHS = ("2024-01-01", "2024-02-01", "2024-03-01")

RAW = f"""
create schema origen;
create table origen.tiendas as
select tienda_id, 'Tienda ' || tienda_id as nombre from generate_series(1, {STORES}) as tienda_id;
create table origen.ventas (
    venta_id bigint generated always as identity,
    fecha date,
    tienda_id integer,
    unidades integer,
    importe numeric(12, 2)
);
create table origen.versiones (mes date primary key, version bigint not null);
"""

ROLES = """
do $$
begin
    if to_regrole('lector') is null then create role lector; end if;
    if to_regrole('auditor') is null then create role auditor; end if;
end
$$;
"""

DELIVER = f"""
insert into origen.ventas (fecha, tienda_id, unidades, importe)
select mes.desde + n %% 28, 1 + n %% {STORES}, 1 + n %% 3, 10 + n %% 90
from (select %s::date as desde) as mes
cross join generate_series(1, %s) as n;
"""

ROW_HASHES = """
select md5(coalesce(string_agg(fila::text, '|' order by fila::text collate "C"), ''))
from {} as fila
"""

# Everything about the relations that a rebuild must bring back, without OIDs, times and versions.
STRUCTURE = """
with

relations as (
    select * from pg_catalog.pg_class
    where relnamespace = 'retail'::regnamespace and relkind in ('r', 'p', 'v', 'm')
)

select
    'relation', relname::text,
    concat_ws(
        '|', relkind, pg_get_expr(relpartbound, oid), relacl::text,
        split_part(obj_description(oid, 'pg_class'), 'dbt_state', 1)
    )
from relations
union all
select 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) || indisvalid
from pg_catalog.pg_index
inner join relations on relations.oid = indrelid
union all
select
    'constraint', conrelid::regclass || '.' || conname,
    pg_get_constraintdef(pg_constraint.oid) || convalidated
from pg_catalog.pg_constraint
inner join relations on relations.oid = conrelid
union all
select
    'column', relname || '.' || attname,
    concat_ws(
        '|', format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum)
    )
from pg_catalog.pg_attribute
inner join relations on relations.oid = attrelid
where attnum > 0 and not attisdropped
order by 1, 2, 3
"""


@dataclass(frozen=True)
class World:
    """A database and the dbt project that builds it.

    Attributes:
        database: Where the raw tables are and dbt builds.
        project: The project's folder, a copy that the test may change.
    """

    database: Database
    project: Path

    # --- dbt ---

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> DbtProcess:
        """Start dbt on the project and return without waiting."""
        folder = self.database.folder
        folders = {
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
        }
        flags = ["--no-use-colors", "--no-write-json", "--log-level-file", "none"]
        where = ["--project-dir", str(self.project), "--target", "ci"]
        return start_dbt(
            [*flags, *arguments, *where],
            self.database.environment | folders | dict(env or {}),
            folder / f"dbt-{uuid.uuid4().hex}.txt",
        )

    def dbt(self, *arguments: str, **variables: Any) -> str:
        """Run dbt, which must succeed, and return its output.

        Args:
            arguments: Its command line.
            variables: Passed as ``--vars``.
        """
        code, text = self._finish(*arguments, **variables)
        if code != 0:
            pytest.fail(f"dbt {' '.join(arguments)} exited with {code}\n{text}", pytrace=False)
        return text

    def refuse(self, *arguments: str, **variables: Any) -> str:
        """Run dbt, which must fail with a message for people, and return its output."""
        code, text = self._finish(*arguments, **variables)
        if code == 0:
            pytest.fail(f"dbt {' '.join(arguments)} should have failed\n{text}", pytrace=False)
        assert "Traceback" not in text
        return text

    def _finish(self, *arguments: str, **variables: Any) -> tuple[int, str]:
        passed = ["--vars", json.dumps(variables)] if variables else []
        run = self.start(*arguments, *passed)
        return run.wait(), run.text()

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that stands in a file of ``models``."""
        path = self.project / "models" / file
        text = path.read_text()
        assert old in text, f"{file} does not hold {old!r}"
        path.write_text(text.replace(old, new))

    def write(self, file: str, text: str) -> None:
        """Write a file into ``models``."""
        (self.project / "models" / file).write_text(text)

    def write_macro(self, name: str, arguments: str, text: str) -> None:
        """Write a macro of the project."""
        path = self.project / "macros" / f"{name}.sql"
        path.write_text(f"{{% macro {name}({arguments}) %}}{text}{{% endmacro %}}")

    # --- raw rows ---

    def query(self, statement: str, *arguments: object) -> list[tuple]:
        """Run SQL in a transaction of its own."""
        return self.database.query(statement, *arguments)

    def value(self, statement: str, *arguments: object) -> Any:
        """The one value that a query returns."""
        ((value,),) = self.query(statement, *arguments)
        return value

    def deliver(self, month: str, rows: int = 60) -> None:
        """Add sales to a month, as a file that arrives."""
        self.query(DELIVER, month, rows)
        self.touch(month)

    def touch(self, month: str) -> None:
        """Give a month of the raw table a new version, as the loader does."""
        self.query(
            "insert into origen.versiones values (%s, 1)"
            " on conflict (mes) do update set version = versiones.version + 1",
            month,
        )

    # --- what dbt made ---

    def identity(self) -> dict[str, tuple]:
        """What changes when a relation is: name -> (OID, file, comment, privileges, xmin)."""
        rows = self.query(
            "select relname::text, oid, relfilenode, obj_description(oid, 'pg_class'),"
            " relacl::text, xmin::text"
            " from pg_catalog.pg_class where relnamespace = 'retail'::regnamespace order by 1"
        )
        return {name: tuple(rest) for name, *rest in rows}

    def files(self) -> dict[str, int]:
        """The relfilenode of each: a partition that is built again has a new one."""
        return {name: values[1] for name, values in self.identity().items()}

    def rebuilt(self, before: Mapping[str, int]) -> set[str]:
        """Tables and materialized views that have another file than ``before``, or are new.

        Args:
            before: From `files`.
        """
        now = self.files()
        tables = {
            name
            for (name,) in self.query(
                "select relname::text from pg_catalog.pg_class"
                " where relnamespace = 'retail'::regnamespace and relkind in ('r', 'm')"
            )
        }
        return {name for name in tables if before.get(name) != now[name]}

    def oid(self, relation: str) -> int:
        """The OID of a relation in schema ``retail``."""
        return self.value("select %s::regclass::oid", f"retail.{relation}")

    def row_hashes(self) -> dict[str, str]:
        """A hash of the rows of each table, view and materialized view: equal means equal rows."""
        names = self.query(
            "select relname::text from pg_catalog.pg_class"
            " where relnamespace = 'retail'::regnamespace and relkind in ('r', 'p', 'v', 'm')"
        )
        with closing(self.database.connect()) as session, session, session.cursor() as cursor:
            hashes = {}
            for (name,) in names:
                cursor.execute(sql.SQL(ROW_HASHES).format(sql.Identifier("retail", name)))
                hashes[name] = cursor.fetchall()[0][0]
        return hashes

    def structure(self) -> list[tuple]:
        """Relations with their indexes, constraints, columns, comments and privileges."""
        return self.query(STRUCTURE)

    def partitions(self, table: str = "fact_ventas") -> dict[str, str]:
        """The partitions of a table: name -> bound."""
        return dict(
            self.query(
                "select relname::text, pg_get_expr(relpartbound, pg_class.oid)"
                " from pg_catalog.pg_inherits"
                " inner join pg_catalog.pg_class on pg_class.oid = inhrelid"
                " where inhparent = %s::regclass order by 1",
                f"retail.{table}",
            )
        )

    def readers(self, relation: str) -> list[str]:
        """The roles that may read a relation, besides its owner."""
        rows = self.query(
            "select grantee::regrole::text from pg_catalog.pg_class"
            " cross join lateral aclexplode(relacl)"
            " where oid = %s::regclass and privilege_type = 'SELECT' and grantee != relowner"
            " order by 1",
            f"retail.{relation}",
        )
        return [name for (name,) in rows]

    def leftovers(self) -> list[str]:
        """Names that belong to work under way, or that stand outside their table."""
        return [
            name
            for (name,) in self.query(
                "select relname::text from pg_catalog.pg_class where relname like '%__new%'"
                " or (relnamespace = 'retail'::regnamespace and relkind = 'r'"
                "     and not relispartition and relname != 'dim_tienda')"
                " or (relnamespace::regnamespace::text ~ '^pg_temp' and relkind = 'r')"
            )
        ]


def copy_project(folder: Path) -> Path:
    """Copy the small project, with the package of macros linked into it as `dbt deps` would."""
    project = folder / "project"
    shutil.copytree(SMALL_PROJECT, project)
    (project / "dbt_packages").mkdir()
    (project / "dbt_packages" / "pg_lifecycle").symlink_to(PROJECT / "packages" / "pg_lifecycle")
    return project


def create_world(server: LocalServer, folder: Path, template: World | None = None) -> World:
    """Create the database, in place of the one of an earlier test, and a project beside it.

    Args:
        server: A running server.
        folder: An empty folder for the project, dbt's target and logs.
        template: A world to copy with everything that was built; else raw tables of three months.
    """
    source = template.database.parameters["dbname"] if template else "template1"
    recreate(server, DATABASE, source)
    database = Database(server.parameters(DATABASE), server, folder)
    shutil.copy(PROJECT / "profiles.yml.example", folder / "profiles.yml")
    world = World(database, copy_project(folder))
    if template:
        shutil.rmtree(world.project / "models")
        shutil.copytree(template.project / "models", world.project / "models")
        (folder / "target").mkdir()
        parsed = template.database.folder / "target" / "partial_parse.msgpack"
        shutil.copy(parsed, folder / "target")
    else:
        world.query(RAW)
        for month in FIRST_MONTHS:
            world.deliver(month)
    return world


def keep_as_template(world: World, name: str) -> World:
    """Copy a world's database under another name, to be copied by tests."""
    recreate(world.database.server, name, DATABASE)
    parameters = world.database.server.parameters(name)
    return World(Database(parameters, world.database.server, world.database.folder), world.project)


def recreate(server: LocalServer, name: str, source: str) -> None:
    """Create a database as a copy of another one, dropping what has the name."""
    # As the superuser: "force" has to end autovacuum workers too, which are the superuser's.
    with closing(connect(server.admin_parameters())) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            new, old, owner = (sql.Identifier(text) for text in (name, source, ROLE))
            cursor.execute(sql.SQL("drop database if exists {} with (force)").format(new))
            create = sql.SQL("create database {} template {} owner {}").format(new, old, owner)
            cursor.execute(create)
            cursor.execute(ROLES)
