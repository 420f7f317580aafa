"""Warehouses made of the copy: the statements run, and what is loaded is what PostgreSQL holds."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import warehouses
from comparing import assert_same_rows
from conftest import PROJECT, Database, create_database, drop_database, run_script
from sqlglot import exp

from retail_platform.commands import warehouse
from retail_platform.errors import UserError
from retail_platform.export.exporting import Options, export
from retail_platform.export.stores import open_store
from retail_platform.reporting.answers import read_statements
from retail_platform.warehouse.dialects import WAREHOUSES, _joined
from retail_platform.warehouse.queries import translate

LATE = "2023-02"
QUESTIONS = sorted((PROJECT / "analyses").glob("q[1-4]_*.sql"))
ENGINES = {
    engine.name: engine
    for engine in (warehouses.Snowflake, warehouses.BigQuery, warehouses.Redshift)
}
COUNTED = "select count(*), sum(total_linea) from retail.fact_ventas"
MONTH = f"{COUNTED} where fecha_venta >= '2023-02-01' and fecha_venta < '2023-03-01'"


@dataclass
class Copied:
    """A copy before and after a late file, and what the command writes for it.

    Attributes:
        root: Holds the bucket.
        contracts: dbt's manifest.
        scripts: (warehouse, what) -> SQL.
        answers: Question -> PostgreSQL's rows, before the change.
        counted: Rows and sum of the fact, of its changed month, before and after.
    """

    root: Path
    contracts: Path
    scripts: dict[tuple[str, str], str] = field(default_factory=dict)
    answers: dict[str, list[tuple]] = field(default_factory=dict)
    counted: list[list[tuple]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Of the copy."""
        return self.root / warehouses.BUCKET / "copia"

    def state(self, name: str) -> Path:
        """What a warehouse held at its last load."""
        return self.root / f"{name}.json"

    def write(self, name: str, *options: str) -> str:
        """What ``retail warehouse NAME ...`` writes."""
        written = io.StringIO()
        with contextlib.redirect_stdout(written), contextlib.redirect_stderr(io.StringIO()):
            warehouse.main(
                [name, "--of", str(self.folder), "--place", ENGINES[name].place]
                + ["--access", "rol_copia", "--contracts", str(self.contracts), *options]
            )
        return written.getvalue()


@pytest.fixture(scope="module")
def copied(
    embedded_server,  # type: ignore[no-untyped-def]
    built_database: Database,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Copied]:
    database = create_database(embedded_server, built_database.parameters["dbname"])
    root = tmp_path_factory.mktemp("warehouse") / "buckets"
    found = Copied(root, built_database.folder / "target" / "manifest.json")
    try:
        _export(database, found)
        for path in QUESTIONS:
            [question] = read_statements(path)
            found.answers[path.name] = database.query(question.statement)
        for name in WAREHOUSES:
            for what in ("ddl", "load", "check"):
                state = ["--state", str(found.state(name))] if what == "load" else []
                found.scripts[name, what] = found.write(name, f"--{what}", *state)
            found.state(name).with_name(f"{name}.json.next").rename(found.state(name))
        found.counted.append(database.query(COUNTED) + database.query(MONTH))
        _correct_a_month(database)
        _export(database, found)
        found.counted.append(database.query(COUNTED) + database.query(MONTH))
        for name in WAREHOUSES:
            changed = ["--changed", "--state", str(found.state(name))]
            found.scripts[name, "changed"] = found.write(name, *changed)
            found.scripts[name, "check later"] = found.write(name, "--check")
            found.state(name).with_name(f"{name}.json.next").rename(found.state(name))
            found.scripts[name, "again"] = found.write(name, *changed)
        yield found
    finally:
        drop_database(database)


def _export(database: Database, found: Copied) -> None:
    run_script(
        *("export.py", "--target", "ci", "--to", str(found.folder)), env=database.environment
    )


def _correct_a_month(database: Database) -> None:
    """As a late file would: other rows, another version."""
    table = f"retail.fact_ventas_p{LATE.replace('-', '')}"
    database.query(
        f"delete from {table} where (ticket_id, linea) in "
        f"(select ticket_id, linea from {table} order by 1, 2 limit 3)"
    )
    [(comment,)] = database.query(f"select obj_description('{table}'::regclass)")
    head, state = comment.rsplit("dbt_state: ", 1)
    told = json.dumps(json.loads(state) | {"version": "corrected"})
    database.query(f"comment on table {table} is %s", f"{head}dbt_state: {told}")


@contextlib.contextmanager
def engine_of(name: str, copied: Copied, server: Any, folder: Path) -> Iterator[warehouses.Engine]:
    """The warehouse, empty, beside the bucket."""
    opened: AbstractContextManager[warehouses.Engine]
    if name == "snowflake":
        opened = warehouses.snowflake(copied.root)
    elif name == "bigquery":
        root = Path(shutil.copytree(copied.root, folder / "buckets"))
        for month in list(root.rglob("periodo=*")):
            month.rename(month.with_name(month.name.replace("=", "-")))
        opened = warehouses.bigquery(root)
    else:
        # What a COPY reads beside the copy stands in it: redshift/*.manifest.
        shutil.copytree(copied.folder / "redshift", folder / "redshift")
        database = create_database(server)
        try:
            with warehouses.redshift(database, copied.root) as engine:
                yield engine
        finally:
            drop_database(database)
        return
    with opened as engine:
        yield engine


@pytest.mark.parametrize(
    "name",
    # Its emulator needs a minute of processor for it.
    ["snowflake", "redshift", pytest.param("bigquery", marks=pytest.mark.full)],
)
def test_what_is_loaded_is_what_postgresql_holds(
    embedded_server,  # type: ignore[no-untyped-def]
    copied: Copied,
    tmp_path: Path,
    name: str,
) -> None:
    with engine_of(name, copied, embedded_server, tmp_path) as engine:
        warehouses.run_script(engine, copied.scripts[name, "ddl"])
        warehouses.run_script(engine, copied.scripts[name, "load"])
        assert warehouses.run_script(engine, copied.scripts[name, "check"]) == []
        _assert_counted(engine, copied.counted[0])
        for path in QUESTIONS:
            [question] = read_statements(path)
            rows = engine.run(translate(question.statement, name))
            assert assert_same_rows(rows, copied.answers[path.name], path.name)

        # The check can fail: the manifest of the later copy tells other rows of one table.
        [wrong] = warehouses.run_script(engine, copied.scripts[name, "check later"])
        assert wrong[0] == "fact_ventas" and wrong[1] == wrong[2] + 3
        assert "total_linea" in wrong[3]

        warehouses.run_script(engine, copied.scripts[name, "changed"])
        assert warehouses.run_script(engine, copied.scripts[name, "check later"]) == []
        _assert_counted(engine, copied.counted[1])
        # What is there stays: definitions again, and the same change again.
        warehouses.run_script(engine, copied.scripts[name, "ddl"])
        warehouses.run_script(engine, copied.scripts[name, "changed"])
        _assert_counted(engine, copied.counted[1])


def _assert_counted(engine: warehouses.Engine, expected: list[tuple]) -> None:
    found = [row for query in (COUNTED, MONTH) for row in engine.run(query)]
    for (rows, total), (rows_expected, total_expected) in zip(found, expected, strict=True):
        assert rows == rows_expected and float(total) == pytest.approx(float(total_expected), 1e-12)


@pytest.mark.parametrize("name", WAREHOUSES)
def test_only_what_changed_is_loaded(copied: Copied, name: str) -> None:
    changed = copied.scripts[name, "changed"]
    written = r"(?:delete from|copy into|copy|insert into|load data overwrite) retail\.(\w+)"
    touched = {name.removesuffix("__carga") for name in re.findall(written, changed)}
    # Beside it what says when each relation was published, which changes with any.
    also = "estado_publicacion"
    assert touched - {also} == {"fact_ventas"}
    assert "2023-02-01" in changed and "2023-03-01" in changed
    listed = changed
    if name == "redshift":  # the list of files stands beside the copy
        [path] = [
            line.split("/copia/")[1].rstrip("'")
            for line in changed.splitlines()
            if line.startswith("from 's3://") and also not in line
        ]
        listed = (copied.folder / path).read_text(encoding="utf-8")
    files = [file for file in re.findall(r"\S*\.parquet", listed) if also not in file]
    assert len(files) == 1 and f"periodo={LATE}" in files[0]
    assert copied.scripts[name, "again"] == "-- nothing new\n"


@pytest.mark.parametrize("name", WAREHOUSES)
def test_definitions_tell_types_keys_and_comments(copied: Copied, name: str) -> None:
    """Each statement is one of the dialect's, and tells what the contract does."""
    tables = {}
    for statement in warehouses.statements_of(copied.scripts[name, "ddl"]):
        tree = sqlglot.parse_one(statement, read=name)
        if isinstance(tree, exp.Create) and tree.kind == "TABLE":
            tables[tree.find(exp.Table).name] = (tree, statement)
    nodes = _contracts(copied)
    relations = json.loads((copied.folder / "manifest.json").read_text())["relations"]
    assert tables.keys() == relations.keys()
    for node in nodes:
        if node["alias"] not in tables:
            continue
        tree, statement = tables[node["alias"]]
        kinds = {column.name: column.kind for column in tree.find_all(exp.ColumnDef)}
        for column in node["columns"].values():
            assert _family(kinds[column["name"]], name) == _family(
                exp.DataType.build(column["data_type"], dialect="postgres"), "postgres"
            ), (node["alias"], column["name"])
    fact = tables["fact_ventas"][1]
    assert "primary key (ticket_id, linea, fecha_venta)" in fact
    assert "foreign key (tienda_id) references retail.dim_tienda (tienda_id)" in fact
    layout = {
        "snowflake": "cluster by (fecha_venta, tienda_id, producto_id, ticket_id)",
        "bigquery": "partition by date_trunc(fecha_venta, month)\n"
        "cluster by fecha_venta, tienda_id, producto_id, ticket_id",
        "redshift": "distkey (ticket_id)\ncompound sortkey (fecha_venta, tienda_id",
    }
    assert layout[name] in fact
    assert copied.scripts[name, "ddl"].count("Ticket key, unique over all stores.") >= 2  # + view


def _contracts(copied: Copied) -> list[Mapping[str, Any]]:
    nodes = json.loads(copied.contracts.read_text(encoding="utf-8"))["nodes"].values()
    return [
        node
        for node in nodes
        if node["resource_type"] == "model"
        and node["schema"] == "retail"
        and node["contract"]["enforced"]
    ]


def _family(kind: exp.DataType, dialect: str) -> tuple[str, str]:
    """Kind and digits of a type; whole numbers are one kind, as BigQuery and Snowflake see them."""
    text = kind.sql("duckdb")
    if kind.this in exp.DataType.INTEGER_TYPES:
        return "INTEGER", ""
    if kind.this in (exp.DataType.Type.ARRAY, *exp.DataType.TEXT_TYPES):
        return "TEXT", ""  # what Parquet has no type for is text
    name, _, digits = text.partition("(")
    name = {"TIMESTAMPTZ": "TIMESTAMP", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP"}.get(name, name)
    return name.replace("BIGDECIMAL", "DECIMAL"), digits if name == "DECIMAL" else ""


@pytest.mark.parametrize("name", WAREHOUSES)
def test_changed_columns_make_a_table_again_with_its_keys_and_views(
    copied: Copied, name: str, tmp_path: Path
) -> None:
    before = json.loads(copied.state(name).read_text(encoding="utf-8"))
    before["relations"]["dim_tienda"]["shape"] = "another"
    before["relations"]["retirada"] = copy.deepcopy(before["relations"]["dim_promocion"])
    before["views"]["vieja"] = before["views"]["ventas"]
    del before["relations"]["dim_promocion"]
    state = tmp_path / "state.json"
    state.write_text(json.dumps(before))
    script = copied.write(name, "--changed", "--state", str(state))
    statements = warehouses.statements_of(script)
    made = [text for text in statements if text.startswith("create") and "table" in text[:24]]
    assert sorted(text.split("retail.")[1].split(" ")[0] for text in made) == [
        "dim_promocion",
        "dim_tienda",
    ]
    assert any(text.startswith("drop table if exists retail.retirada") for text in statements)
    assert any(text.startswith("drop view if exists retail.vieja") for text in statements)
    assert sum("view retail.ventas" in text for text in statements) >= 1
    added = [text for text in statements if text.startswith("alter table")]
    assert any("retail.fact_ventas add foreign key (tienda_id)" in text for text in added)
    for text in statements:
        sqlglot.parse_one(text, read=name)


def test_a_contract_that_the_copy_does_not_keep_is_refused(copied: Copied, tmp_path: Path) -> None:
    told = json.loads(copied.contracts.read_text(encoding="utf-8"))
    [node] = [node for node in told["nodes"].values() if node.get("alias") == "dim_tienda"]
    node["columns"]["superficie_nueva"] = {"name": "superficie_nueva", "data_type": "integer"}
    later = tmp_path / "manifest.json"
    later.write_text(json.dumps(told))
    with pytest.raises(UserError, match="dim_tienda: the contract and the copy differ in super"):
        copied.write("bigquery", "--ddl", "--contracts", str(later))
    node["alias"] = "dim_nueva"
    later.write_text(json.dumps(told))
    with pytest.raises(UserError, match="Not in the copy: dim_nueva"):
        copied.write("bigquery", "--ddl", "--contracts", str(later))


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("redshift", ["--ddl", "--access", ""], "--access is missing: the IAM role"),
        ("bigquery", ["--ddl", "--place", "s3://x/y"], "bigquery does not see s3://x/y. Allowed"),
        ("snowflake", ["--changed"], "--changed needs --state"),
        ("snowflake", ["--changed", "--state", "/nowhere/s.json"], "There is no /nowhere/s.json"),
        ("snowflake", ["--ddl", "--contracts", "/nowhere/m.json"], "Make it: dbt parse"),
        ("snowflake", ["--ddl", "--contracts", str(PROJECT / "README.md")], "is not the manifest"),
        ("snowflake", ["--query", "/nowhere/q.sql"], "There is no /nowhere/q.sql"),
        ("snowflake", ["--load", "--state", "/nowhere/s.json"], "Could not write"),
        ("snowflake", ["--load", "--state", "/tmp"], "got the folder /tmp; it needs a file"),
        ("snowflake", ["--ddl", "--schema", "a..b"], "allowed: a name, or project.dataset"),
    ],
)
def test_what_is_missing_is_told(
    copied: Copied, name: str, options: list[str], expected: str
) -> None:
    with pytest.raises(UserError) as refused:
        copied.write(name, *options)
    assert expected in str(refused.value)


def test_another_schema_is_written_everywhere(copied: Copied) -> None:
    script = copied.write("bigquery", "--ddl", "--schema", "mi-proyecto.ventas")
    for statement in warehouses.statements_of(script):
        for table in sqlglot.parse_one(statement, read="bigquery").find_all(exp.Table):
            if table.name != "mi-proyecto":
                assert (table.catalog, table.db) in {("mi-proyecto", "ventas"), ("", "")}, statement


def test_periods_that_follow_each_other_are_one() -> None:
    months = [
        ("2024-03-01", "2024-04-01"),
        ("2024-01-01", "2024-02-01"),
        ("2024-02-01", "2024-03-01"),
        ("2024-06-01", "2024-07-01"),
    ]
    assert _joined(months) == [("2024-01-01", "2024-04-01"), ("2024-06-01", "2024-07-01")]


def test_what_only_postgresql_knows_is_translated() -> None:
    query = "select make_date(2024, 2, 1), coalesce(f, 'infinity') from retail.t"
    assert "DATE(2024, 2, 1)" in translate(query, "bigquery")
    assert "DATE_FROM_PARTS(2024, 2, 1)" in translate(query, "snowflake")
    assert "YYYYMMDD" in translate(query, "redshift")
    assert "infinity" not in translate(query, "snowflake")
    texts = translate("select 'infinity'::date from retail.t where x = 'infinity'", "snowflake")
    assert "9999-12-31" in texts and "x = 'infinity'" in texts
    with pytest.raises(UserError, match="Not a statement"):
        translate("select from from", "bigquery")
    with pytest.raises(UserError, match="Not a statement"):
        translate("select 'a", "bigquery")


@dataclass
class Small:
    """A database of a test's own, its copy, and what the command writes for it.

    No model has a contract: the copy describes everything.
    """

    database: Database
    copied: Copied

    def export(self, *statements: str) -> None:
        """Change the database and bring the copy up to date."""
        for statement in statements:
            self.database.query(statement)
        export(self.database.parameters, open_store(str(self.copied.folder)), Options())

    def load(self, name: str) -> None:
        """Make the copy what a warehouse holds."""
        state = self.copied.state(name)
        state.write_bytes((self.copied.folder / "manifest.json").read_bytes())

    def changed(self, name: str) -> list[str]:
        """The statements of a change."""
        state = str(self.copied.state(name))
        script = self.copied.write(name, "--changed", "--state", state)
        return warehouses.statements_of(script.removeprefix("-- nothing new\n"))

    def definitions(self, name: str, *options: str) -> str:
        """The statements of --ddl."""
        return self.copied.write(name, "--ddl", *options)


@pytest.fixture
def small(empty_database: Database, tmp_path: Path) -> Small:
    empty_database.query("create schema retail")
    copied = Copied(tmp_path, tmp_path / "contracts.json")
    copied.contracts.write_text(json.dumps({"nodes": {}}))
    return Small(empty_database, copied)


def test_a_run_that_fails_leaves_no_state_of_an_earlier_one(small: Small) -> None:
    small.export("create table retail.t as select 1 as a")
    small.load("snowflake")
    small.export("update retail.t set a = 2")
    assert small.changed("snowflake")  # its load fails, say, so that the state is not renamed
    following = small.copied.state("snowflake").with_name("snowflake.json.next")
    assert following.exists()
    (small.copied.folder / "manifest.json").unlink()
    with pytest.raises(UserError):
        small.changed("snowflake")
    assert not following.exists()


@pytest.mark.parametrize("name", WAREHOUSES)
def test_another_key_or_not_null_makes_a_table_again(small: Small, name: str) -> None:
    small.export("create table retail.t (a integer, b integer)")
    for change in ("alter column a set not null", "add primary key (a)"):
        small.load(name)
        small.export(f"alter table retail.t {change}")
        made = [text for text in small.changed(name) if text.startswith("create")]
        assert len(made) == 1 and ("not null" in made[0] or "primary key (a)" in made[0])
    small.load(name)
    small.export("comment on table retail.t is 'other words'")
    assert small.changed(name) == []


@pytest.mark.parametrize("name", WAREHOUSES)
def test_a_table_that_became_a_view_goes_before_the_view_is_made(small: Small, name: str) -> None:
    small.export(
        "create table retail.d (a integer primary key); "
        "create table retail.t (a integer references retail.d)",
        "create table retail.u as select 1 as a; create view retail.v as select a from retail.u",
    )
    small.load(name)
    small.export(
        "drop table retail.t; drop table retail.d; create view retail.t as select a from retail.u",
        "drop view retail.v; create view retail.v as select a as b from retail.u",
    )
    found = small.changed(name)
    dropped = next(
        n for n, text in enumerate(found) if text.startswith("drop table") and ".t" in text
    )
    made = next(n for n, text in enumerate(found) if "view retail.t" in text and "create" in text)
    assert dropped < made
    if name == "redshift":
        assert "drop table if exists retail.d cascade" in found
        # Its view cannot be replaced by one of other columns.
        assert found.index("drop view if exists retail.v") < next(
            n for n, text in enumerate(found) if "create or replace view retail.v" in text
        )


@pytest.mark.parametrize("name", WAREHOUSES)
def test_an_archived_month_stays_in_the_warehouse(small: Small, name: str) -> None:
    small.export(
        "create table retail.h (dia date) partition by range (dia)",
        "create table retail.h_1 partition of retail.h for values from ('2024-01-01') to "
        "('2024-02-01')",
    )
    small.load(name)
    small.export(
        "drop table retail.h_1",
        """comment on table retail.h is 'dbt_state: {"retained_from": "2024-02-01"}'""",
    )
    assert small.changed(name) == []


@pytest.mark.parametrize("name", WAREHOUSES)
def test_rows_are_deleted_by_days_only_where_partitions_are_days(small: Small, name: str) -> None:
    small.export("create table retail.h (momento timestamptz) partition by range (momento)")
    for number in (1, 2):  # months of Mexico
        small.export(
            f"create table retail.h_{number} partition of retail.h for values from "
            f"('2024-0{number}-01 06:00+00') to ('2024-0{number + 1}-01 06:00+00')",
            f"insert into retail.h values ('2024-0{number}-05')",
        )
    small.load(name)
    small.export("insert into retail.h values ('2024-02-07')")
    [deleted] = [text for text in small.changed(name) if text.startswith("delete")]
    assert deleted.split("where ")[1] == "true"


def test_what_the_dialects_reserve_and_how_tables_lie(small: Small) -> None:
    small.export(
        'create table retail."order" ("group" integer primary key, "a b" numeric(20, 4), '
        "momento timestamp(3), hora time(0), instante timestamptz(3))",
        'create view retail.v as select "group" as "grant", "a b", momento from retail."order"',
        "create table retail.solo_dia (dia date primary key) partition by range (dia)",
    )
    snowflake = small.definitions("snowflake")
    assert 'create table if not exists retail."ORDER" (\n    "GROUP" INT not null' in snowflake
    assert 'primary key ("GROUP")' in snowflake and "TIMESTAMP(3)" in snowflake
    assert re.search(r'"ORDER"."GROUP" AS "GRANT"|"GROUP" AS "GRANT"', snowflake)
    assert '"a b"' in snowflake
    redshift = small.definitions("redshift")
    assert 'retail."order"' in redshift and "diststyle auto\ncompound sortkey (dia)" in redshift
    for script in (redshift, small.definitions("bigquery")):
        assert "(3)" not in script and "(0)" not in script


def test_sums_of_any_digits_are_compared_exactly(small: Small) -> None:
    small.export(
        "create table retail.h (dia date, n numeric(38, 2)) partition by range (dia)",
        *(
            f"create table retail.h_{n} partition of retail.h for values from ('2024-0{n}-01') "
            f"to ('2024-0{n + 1}-01'); insert into retail.h values ('2024-0{n}-05', "
            f"123456789012345678901234567890.1{n})"
            for n in (1, 2)
        ),
    )
    assert "246913578024691357802469135780.23" in small.copied.write("snowflake", "--check")


def test_foreign_keys_in_a_circle_are_told(small: Small) -> None:
    small.export(
        "create table retail.a (n integer primary key, m integer)",
        "create table retail.b (m integer primary key, n integer references retail.a)",
        "alter table retail.a add foreign key (m) references retail.b",
    )
    with pytest.raises(UserError, match="Foreign keys lead in a circle: . -> . -> ."):
        small.definitions("snowflake")


def test_options_of_pyarrow_are_no_part_of_the_place(small: Small) -> None:
    small.export("create table retail.t as select 1 as a")
    place = ["--place", "s3://cubo/copia?region=us-east-1"]
    assert "url = 's3://cubo/copia/'" in small.definitions("snowflake", *place)
