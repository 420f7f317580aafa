"""Conventions hold, and the linter notices when they do not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import PROJECT, Database, run_dbt
from test_docs_links import files


@pytest.fixture(scope="module")
def manifest(built_database: Database) -> Path:
    run_dbt("parse", database=built_database)
    return built_database.folder / "target" / "manifest.json"


def bounce(manifest: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run dbt-bouncer with the project's rules on a manifest."""
    rules = yaml.safe_load((PROJECT / "dbt-bouncer.yml").read_text())
    config = folder / "dbt-bouncer.yml"
    config.write_text(yaml.safe_dump(rules | {"dbt_artifacts_dir": str(manifest.parent)}))
    return subprocess.run(
        [str(Path(sys.executable).parent / "dbt-bouncer"), "run", "--config-file", str(config)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_project_keeps_its_conventions(manifest: Path, tmp_path: Path) -> None:
    result = bounce(manifest, tmp_path)
    assert result.returncode == 0, result.stdout[-3000:]


def test_a_model_that_breaks_them_is_named(manifest: Path, tmp_path: Path) -> None:
    content = json.loads(manifest.read_text())
    content["nodes"]["model.retail.stg_ventas"] |= {"name": "ventas_crudas", "description": ""}
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    result = bounce(tmp_path / "manifest.json", tmp_path)
    assert result.returncode == 1
    assert "check_model_names" in result.stdout
    assert "check_model_description_populated" in result.stdout


def published(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The models and snapshots of schema retail: what people query."""
    return [
        node
        for node in content["nodes"].values()
        if node["resource_type"] in ("model", "snapshot") and node["schema"] == "retail"
        if node["config"]["materialized"] != "ephemeral"
    ]


def unexplained(content: dict[str, Any]) -> list[str]:
    """Relations without grain, question or additivity; numbers without a word on additivity."""
    relations = published(content)
    keys = {
        column
        for node in relations
        for columns in (
            *(one["columns"] for one in node.get("constraints", []) if one["type"] != "check"),
            *(one["columns"] for one in node["config"].get("indexes", []) if one.get("unique")),
        )
        for column in columns
    }
    numbers = re.compile(r"(small|big)?int|numeric|double|real")
    return [
        f"{node['name']}: {word}"
        for node in relations
        for word in ("Grain: ", "Answers: ", "dditive")
        if word not in node["description"]
    ] + [
        f"{node['name']}.{name}"
        for node in relations
        for name, column in node["columns"].items()
        if numbers.match(column["data_type"])
        if name not in keys and not name.endswith("_id")
        if "dditive" not in column["description"]
    ]


def test_published_relations_say_what_they_answer_and_how_their_numbers_add_up(
    manifest: Path,
) -> None:
    content = json.loads(manifest.read_text())
    assert len(published(content)) >= 50
    assert unexplained(content) == []
    sales = content["nodes"]["model.retail.fact_ventas"]
    sales["description"] = "Sale lines. Grain: one row per ticket line."
    sales["columns"]["total_linea"]["description"] = "Amount paid for the line."
    sales["columns"]["linea"]["description"] = "Number of the line, a key."
    assert unexplained(content) == [
        "fact_ventas: Answers: ",
        "fact_ventas: dditive",
        "fact_ventas.total_linea",
    ]


def test_the_index_of_decisions_lists_every_record_with_its_title_and_status() -> None:
    folder = PROJECT / "docs" / "decisions"
    records = {}
    for path in folder.glob("adr-*.md"):
        number, title = re.findall(r"^# ADR (\d{4}): (.*)$", path.read_text(), flags=re.M)[0]
        [status] = re.findall(r"^Status: (.*)$", path.read_text(), flags=re.M)
        records[path.name] = (number, title, status)
        assert path.name.startswith(f"adr-{number}-")
    row = r"^\| \[(\d{4})\]\((.*)\) \| (.*?) \| (.*?) \| (.+) \|$"
    listed = re.findall(row, (folder / "README.md").read_text(), flags=re.M)
    assert [file for _, file, *_ in listed] == sorted(records)
    assert {file: (number, *rest) for number, file, *rest, _ in listed} == records
    merged = {
        old for *_, status in records.values() for old in re.findall(r"\b\d{4}\b(?!-)", status)
    }
    assert merged.isdisjoint(number for number, *_ in records.values())


def test_decisions_that_are_named_exist() -> None:
    texts = files("*.md", "*.py", "*.sql", "*.yml", "*.j2", "*.tf", "*.toml", "Makefile")
    named = {
        number
        for path in texts
        if path.name != "CHANGELOG.md"
        for number in re.findall(r"\b(?:ADR |adr-)(\d+)", path.read_text(encoding="utf-8"))
    }
    exist = {path.name[4:8] for path in (PROJECT / "docs" / "decisions").glob("adr-*.md")}
    assert named - exist == set()


def test_every_direct_dependency_has_a_line_that_says_why() -> None:
    project = (PROJECT / "pyproject.toml").read_text()
    names = set(re.findall(r'^    "([A-Za-z0-9-]+)[>=<\["]', project, flags=re.M))
    explained = (PROJECT / "docs" / "dependencies.md").read_text()
    listed = {
        name.strip()
        for row in re.findall(r"^\| ([A-Za-z0-9, -]+) \|", explained, flags=re.M)
        for name in row.split(",")
    }
    assert len(names) > 15
    assert names - listed == set()


def test_the_newest_version_is_the_projects_and_each_says_what_changed_in_the_schema() -> None:
    changes = (PROJECT / "CHANGELOG.md").read_text()
    _, *versions = re.split(r"^## ", changes, flags=re.M)
    assert versions[0].startswith("[Unreleased]")
    released = [re.match(r"\[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d\n", text) for text in versions[1:]]
    assert all(released)
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert released[0] and released[0][1] == declared
    assert yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["version"] == declared
    for text in versions:
        [table] = re.findall(
            r"^### Schema changes\n\n\| relation \| .*\n\|[-|]+\n((?:\|.*\n)+)", text, re.M
        )
        assert table
