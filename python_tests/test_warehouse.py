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
    with pytest.raises(UserError, match="Not a statement"):
        translate("select from from", "bigquery")
