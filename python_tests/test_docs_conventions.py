"""Conventions hold, and the linter notices when they do not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import PROJECT, Database, run_dbt


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
    tracked = subprocess.run(
        [
            "git",
            "grep",
            "-IhoE",
            "(ADR |adr-)[0-9]+",
            "--",
            ".",
            ":!python_tests",
            ":!*/CHANGELOG.md",
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    named = {re.split("[ -]", reference)[1] for reference in tracked.stdout.splitlines()}
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
