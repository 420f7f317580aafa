"""`make build` twice, with other settings, on the next day: what is kept, continued or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import END_DATE, SCALE, SEED, Database, run_script

NEXT_DAY = "2026-01-01"


def _generate(folder: Path, *, seed: str = SEED, end: str = END_DATE) -> list[int]:
    settings = ["--scale", SCALE, "--seed", seed, "--end-date", end]
    run_script("generate.py", *settings, "--output", str(folder), "--keep")
    files = sorted(folder.rglob("*.parquet"))
    return [path.stat().st_mtime_ns for path in files]


def _end(folder: Path) -> str:
    world: dict[str, str] = json.loads((folder / "manifest.json").read_text())["world"]
    return world["end"]


def test_the_same_world_is_kept_and_a_later_day_only_appended(tmp_path: Path) -> None:
    made = _generate(tmp_path)
    assert _generate(tmp_path) == made
    later = _generate(tmp_path, end=NEXT_DAY)
    assert _end(tmp_path) == NEXT_DAY
    assert len(set(made) & set(later)) > 100, "the closed months are as they were"
    assert not set(_generate(tmp_path, seed="8")) & set(later), "another seed is another world"
    assert _end(tmp_path) == END_DATE


def test_a_second_world_is_kept_out_of_a_loaded_database(
    empty_database: Database, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    _generate(first)
    _generate(second, seed="8")

    def check(folder: Path) -> str:
        arguments = ["check", "--target", "ci", "--data", str(folder)]
        result = run_script("db.py", *arguments, env=empty_database.environment, check=False)
        assert result.returncode == (1 if result.stderr else 0)
        return result.stderr

    assert check(first) == "", "nothing is loaded yet"
    run_script("load.py", str(first), "--target", "ci", env=empty_database.environment)
    assert check(first) == ""
    _generate(first, end=NEXT_DAY)
    assert check(first) == "", "the same world, a day longer"
    assert "another simulated world" in check(second)


@pytest.mark.parametrize(
    "name", ["ventas/.ventas_202001.parquet", ".partial/ventas_202001.parquet"]
)
def test_leftovers_of_a_killed_simulation_are_not_loaded(tmp_path: Path, name: str) -> None:
    leftover = tmp_path / name
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half a file")
    refused = run_script("load.py", str(tmp_path), "--check", check=False)
    assert refused.returncode != 0
    assert "nothing to load" in refused.stderr
