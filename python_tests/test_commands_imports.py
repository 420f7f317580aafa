"""Python by direction of flow: who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PROJECT

PACKAGE = PROJECT / "retail_platform"
ALL = {path.stem for path in PACKAGE.glob("*.py")} | {
    path.parent.name for path in PACKAGE.glob("*/__init__.py")
}
# Folder -> the parts of the package that it may import besides itself.
ALLOWED = {
    "text": set(),
    "manifests": set(),
    "months": set(),
    "progress": set(),
    "errors": {"text"},
    "settings": set(),
    "simulator": {"errors", "settings", "text", "manifests", "months"},
    "postgres": {"errors"},
    "project": {"errors"},
    "targets": {"errors", "postgres", "project"},
    "loading": {"errors", "postgres", "targets", "text", "manifests", "months"},
    "reporting": {"errors", "postgres", "targets", "loading", "text"},
    "export": {"errors", "postgres"},
    "warehouse": {"errors", "export"},
    "metrics": {"errors"},
    "backup": {"errors", "postgres", "targets", "loading"},
    "roles": {"errors", "postgres", "targets", "loading"},
    "integrity": {"errors", "project", "months"},
    "runs": {"loading"},
    "daily": {"errors", "postgres", "targets", "project", "loading", "roles", "runs"},
    "docs": {"errors", "simulator", "manifests"},
    "bench": ALL - {"commands", "daily", "docs", "roles", "runs"},
    "commands": ALL,
    "__main__": {"commands"},
}


def _imported(path: Path) -> Iterator[str]:
    """Parts of the package that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.ImportFrom(module="retail_platform", names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module)) if module.startswith("retail_platform."):
                yield module.split(".")[1]
            case ast.ImportFrom(level=level) if level:
                pytest.fail(f"{path}: a relative import, which this test does not follow")
            case ast.Import(names=names):
                yield from (
                    n.name.split(".")[1] for n in names if n.name.startswith("retail_platform.")
                )


def _files(part: str) -> list[Path]:
    folder = PACKAGE / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def test_every_part_has_its_rule() -> None:
    assert set(ALLOWED) == ALL - {"__init__"}


@pytest.mark.parametrize("part", ALLOWED)
def test_imports_follow_the_flow(part: str) -> None:
    found = {(path.name, name) for path in _files(part) for name in _imported(path)}
    assert {(file, name) for file, name in found if name not in ALLOWED[part] | {part}} == set()


def test_scripts_import_the_commands_only() -> None:
    for path in sorted((PROJECT / "scripts").glob("*.py")):
        assert set(_imported(path)) == {"commands"}, path
        assert len(path.read_text().splitlines()) <= 15, path
