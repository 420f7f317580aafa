"""Conventions hold, the linter notices when they do not, links lead somewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import PROJECT, Database, run_dbt

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "macros/**/*.md", "models/**/README.md")
    for path in PROJECT.glob(pattern)
)


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    targets += re.findall(r'(?:src|srcset)="([^"]+)"', text)
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    missing = [target for target in local if not (page.parent / target).exists()]
    assert missing == []


def test_every_decision_weighs_alternatives_and_has_a_number_of_its_own() -> None:
    records = sorted((PROJECT / "docs" / "decisions").glob("*.md"))
    numbers = [re.fullmatch(r"adr-(\d{4})-[a-z0-9-]+\.md", path.name) for path in records]
    assert all(numbers)
    assert len({match[1] for match in numbers if match}) == len(records)
    for path in records:
        text = path.read_text()
        assert "Status: " in text, path.name
        assert re.search("^## .*(Alternatives|Ways)", text, flags=re.M), path.name


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
