"""The entity-relationship diagram shows what the contracts say and what stands in the catalog."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import PROJECT, Database, run_dbt, run_script

from retail_platform.docs.erd import Table, read_tables, to_page
from retail_platform.errors import UserError


@pytest.fixture(scope="module")
def manifest(built_database: Database) -> Path:
    run_dbt("parse", database=built_database)
    return built_database.folder / "target" / "manifest.json"


@pytest.fixture(scope="module")
def tables(manifest: Path) -> list[Table]:
    return read_tables(manifest)


def test_the_page_in_git_is_current(tables: list[Table]) -> None:
    assert (PROJECT / "docs" / "erd.md").read_text() == to_page(tables), "run `make erd`"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pictures_in_git_show_every_column_of_the_star(tables: list[Table], theme: str) -> None:
    picture = (PROJECT / "docs" / "img" / f"erd-{theme}.svg").read_text()
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", picture)
    for table in tables:
        if table.foreign_keys:
            assert table.name in texts
            assert set(table.columns) <= set(texts), "run `make erd`"


def test_columns_and_types_are_those_of_the_catalog(
    built_database: Database, tables: list[Table]
) -> None:
    found: dict[str, dict[str, str]] = {}
    for table, column, data_type in built_database.query(
        """
        select relname::text, attname::text, format_type(atttypid, atttypmod)
        from pg_attribute
        inner join pg_class on pg_class.oid = attrelid
        where relnamespace = 'retail'::regnamespace and relkind in ('r', 'p')
            and not relispartition and attnum > 0 and not attisdropped
        """
    ):
        found.setdefault(table, {})[column] = data_type
    shown = {
        table.name: {
            column: data_type.replace(", ", ",").replace("time(0)", "time(0) without time zone")
            for column, data_type in table.columns.items()
        }
        for table in tables
    }
    assert found == shown


def test_keys_and_partitions_are_those_of_the_catalog(
    built_database: Database, tables: list[Table]
) -> None:
    keys = set(
        built_database.query(
            """
            select conrelid::regclass::oid::regclass::text, attname::text,
                confrelid::regclass::text, contype::text
            from pg_constraint
            inner join pg_class on pg_class.oid = conrelid
            inner join pg_attribute on attrelid = conrelid and attnum = any(conkey)
            where relnamespace = 'retail'::regnamespace and not relispartition
                and contype in ('p', 'f', 'u')
            """
        )
    )

    def short(name: str | None) -> str:
        return (name or "").removeprefix("retail.")

    catalog = {
        (short(table), column, "" if other == "-" else short(other), kind)
        for table, column, other, kind in keys
    }
    shown = set()
    for table in tables:
        shown |= {(table.name, column, "", "p") for column in table.primary_key}
        shown |= {(table.name, column, "", "u") for column in table.unique}
        shown |= {(table.name, key.column, key.table, "f") for key in table.foreign_keys}
    assert catalog == shown

    partitioned = built_database.query(
        """
        select relname::text, attname::text
        from pg_partitioned_table
        inner join pg_class on pg_class.oid = partrelid
        inner join pg_attribute on attrelid = partrelid and attnum = partattrs[0]
        where relnamespace = 'retail'::regnamespace
        """
    )
    assert set(partitioned) == {
        (table.name, table.partitioned_by) for table in tables if table.partitioned_by
    }


def test_the_command_writes_page_and_pictures(manifest: Path, tmp_path: Path) -> None:
    run_script("docs.py", "erd", "--manifest", str(manifest), "--output", str(tmp_path))
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert written == {"erd.md", "img/erd-light.svg", "img/erd-dark.svg"}
    assert "erDiagram" in (tmp_path / "erd.md").read_text()


def test_a_missing_manifest_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="dbt parse"):
        read_tables(tmp_path / "manifest.json")


def test_names_of_referenced_tables_are_read_in_both_forms(tmp_path: Path) -> None:
    node = {
        "resource_type": "model",
        "schema": "retail",
        "alias": "fact_x",
        "description": "Grain: one row per x.",
        "config": {
            "materialized": "partitioned",
            "partition_by": {"fields": ["dia"], "granularity": "month"},
        },
        "columns": {"a": {"name": "a", "data_type": "integer"}},
        "constraints": [
            {"type": "foreign_key", "columns": ["a"], "to": to, "to_columns": ["a"]}
            for to in ("ref('dim_a')", '"db"."retail"."dim_a"')
        ],
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"nodes": {"model.x": node}}))
    [table] = read_tables(path)
    assert {key.table for key in table.foreign_keys} == {"dim_a"}
    assert (table.grain, table.partitioned_by, table.marks("a")) == ("one row per x", "dia", "FK")
