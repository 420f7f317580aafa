"""The copy in DuckDB: every analysis, as written for PostgreSQL, has the same answer there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from comparing import assert_same_rows
from conftest import EMPTY_IN_THE_SMALL_WORLD, PROJECT, Database, run_script

from retail_platform.errors import UserError
from retail_platform.export.catalog import _is_alias
from retail_platform.export.exporting import Options, export
from retail_platform.export.lake import mirror, open_lake
from retail_platform.export.stores import open_store
from retail_platform.reporting.answers import read_statements

ANALYSES = sorted((PROJECT / "analyses").rglob("*.sql"))


@pytest.fixture(scope="module")
def folder(built_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy."""
    folder = tmp_path_factory.mktemp("lake") / "copia"
    run_script(
        *("export.py", "--target", "ci", "--to", str(folder)), env=built_database.environment
    )
    return folder


@pytest.fixture(scope="module")
def lake(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    session = open_lake(open_store(str(folder)))
    yield session
    session.close()


@pytest.mark.parametrize("path", ANALYSES, ids=lambda path: path.stem)
def test_an_analysis_has_the_same_answer_on_both_engines(
    built_database: Database, lake: duckdb.DuckDBPyConnection, path: Path
) -> None:
    rows = 0
    for question in read_statements(path):
        expected = built_database.query(question.statement)
        found = lake.execute(question.statement).fetchall()
        rows += assert_same_rows(found, expected, question.title)
    # One of the seed's statements ends today, where the tests' data do not.
    assert rows or path.stem in EMPTY_IN_THE_SMALL_WORLD


def test_everything_is_named_and_described_as_in_postgresql(
    built_database: Database, lake: duckdb.DuckDBPyConnection
) -> None:
    published = built_database.query(
        """
        select relname, attname, col_description(attrelid, attnum)
        from pg_class inner join pg_attribute on attrelid = pg_class.oid
        where relnamespace = 'retail'::regnamespace and relkind in ('r', 'p', 'm', 'v')
            and not relispartition and attnum > 0
        """
    )
    found = lake.execute(
        "select table_name, column_name, comment from duckdb_columns() where schema_name = 'retail'"
    ).fetchall()
    assert sorted(found, key=str) == sorted(published, key=str)
    keys = lake.execute(
        "select columnas, referencia from copia.claves"
        " where relacion = 'fact_ventas' and tipo = 'foreign'"
    ).fetchall()
    assert sorted(keys, key=str) == [
        (["fecha_venta"], "dim_calendario"),
        (["producto_id"], "dim_producto"),
        (["tienda_id"], "dim_tienda"),
    ]


def test_the_command_answers_and_saves_a_database(folder: Path, tmp_path: Path) -> None:
    saved = tmp_path / "lago.duckdb"
    run_script("lake.py", "--of", str(folder), "--save", str(saved))
    with duckdb.connect(str(saved), read_only=True) as session:
        assert session.execute("select count(*) > 1000 from retail.ventas").fetchall() == [(True,)]
    wrong = run_script(
        "lake.py", "--of", str(folder), "select nada from retail.ventas", check=False
    )
    assert wrong.returncode == 1 and "nada" in wrong.stderr and "Traceback" not in wrong.stderr
    assert "SQL of DuckDB: " in wrong.stderr
    none = run_script("lake.py", "--of", str(tmp_path), "select 1", check=False)
    assert none.returncode == 1 and "There is no copy" in none.stderr


@pytest.mark.full
def test_the_copy_is_measured_into_the_page(built_database: Database, tmp_path: Path) -> None:
    run_script(
        *("bench.py", "copy", "--target", "ci", "--repeats", "1", "--output", str(tmp_path)),
        env=built_database.environment,
    )
    results = json.loads((tmp_path / "performance.json").read_text(encoding="utf-8"))["open_copy"]
    [(lines,)] = built_database.query("select count(*) from retail.fact_ventas")
    exports = {name: told["files"] for name, told in results["exports"].items()}
    asked = sum(1 for path in ANALYSES if path.parent.name == "ad_hoc")
    assert results["lines"] == lines and len(results["analyses"]) == asked
    assert exports.pop("nothing new") == 0 and exports.pop("first") == results["files"]
    [months] = exports.values()
    assert 0 < months < 20
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "## The open copy" in page and "| pares_canasta | facts |" in page


@pytest.mark.parametrize(
    ("definition", "alias"),
    [
        ("with v as (select * from retail.fact_ventas) select v.linea as l from v", True),
        ("select tienda_id, ciudad from retail.dim_tienda", True),
        ("select fecha_entrega - fecha_pedido as plazo from retail.fact_pedidos", False),
        ("select count(*) filter (where activo) as n from retail.dim_tienda", False),
        ("select a.fecha from retail.a join retail.b on a.x = b.x", False),
        ("select fecha from retail.a where fecha > '2024-01-01'", False),
        ("select relname from pg_class", False),
    ],
)
def test_a_view_that_computes_is_copied_with_its_rows(definition: str, alias: bool) -> None:
    assert _is_alias("retail", definition) is alias


@pytest.fixture
def small(empty_database: Database) -> Database:
    """A relation of one row, and one without partitions."""
    empty_database.query(
        "create schema retail; create table retail.t as select 1 as a; "
        "create table retail.vacia (dia date, hora time(0), importe numeric(12, 2), "
        "momento timestamptz(3), etiquetas text[]) partition by range (dia)"
    )
    return empty_database


def test_any_folder_and_a_relation_without_partitions_are_read(
    small: Database, tmp_path: Path
) -> None:
    store = open_store(str(tmp_path / "co?pia [1]"))
    export(small.parameters, store, Options())
    for name in ("coXpia [1]", "co?pia 1"):  # what the name would find as a pattern
        shutil.copytree(tmp_path / "co?pia [1]", tmp_path / name)
    with open_lake(store) as session:
        assert session.execute("select a from retail.t").fetchall() == [(1,)]
        described = session.execute("describe retail.vacia").fetchall()
        assert session.execute("select * from retail.vacia").fetchall() == []
    types = ["DATE", "TIME", "DECIMAL(12,2)", "TIMESTAMP WITH TIME ZONE", "VARCHAR"]
    assert [row[1] for row in described] == types


def test_a_damaged_file_is_told_when_opened_and_when_mirrored(
    small: Database, tmp_path: Path
) -> None:
    store = open_store(str(tmp_path / "copia"))
    export(small.parameters, store, Options())
    [file] = tmp_path.rglob("*.parquet")
    file.write_bytes(b"?" * file.stat().st_size)
    with pytest.raises(UserError, match="missing or damaged"):
        open_lake(store)
    with pytest.raises(UserError, match="is damaged: not the bytes"):
        mirror(store, tmp_path / "local")


def test_a_mirror_does_not_replace_the_copy_of_another_database(
    small: Database, built_on_nothing: Database, tmp_path: Path
) -> None:
    for database, name in ((small, "una"), (built_on_nothing, "otra")):
        export(database.parameters, open_store(str(tmp_path / name)), Options())
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="holds the copy of another database.*--local"):
        mirror(open_store(str(tmp_path / "una")), tmp_path / "otra")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.fixture
def built_on_nothing(embedded_server, new_database) -> Database:  # type: ignore[no-untyped-def]
    """Another database with something in it."""
    database: Database = new_database(embedded_server)
    database.query("create schema retail; create table retail.u as select 1 as b")
    return database
