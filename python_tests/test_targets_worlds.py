"""`make build` twice, with other settings, on the next day: what is kept, continued or refused."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import END_DATE, SCALE, SEED, Database, digests, run_script

NEXT_DAY = "2026-01-01"


# What these tests ask does not depend on the length of the history, and a year is made quickly.
YEARS = "1"


def _generate(folder: Path, *, seed: str = SEED, end: str = END_DATE) -> list[int]:
    settings = ["--scale", SCALE, "--seed", seed, "--end-date", end, "--years", YEARS]
    run_script("generate.py", *settings, "--output", str(folder), "--keep")
    files = sorted(folder.rglob("*.parquet"))
    return [path.stat().st_mtime_ns for path in files]


def _end(folder: Path) -> str:
    world: dict[str, str] = json.loads((folder / "manifest.json").read_text())["world"]
    return world["end"]


@pytest.fixture(scope="module")
def generated_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short world. Read only: copy the files before changing any."""
    folder = tmp_path_factory.mktemp("year") / "data"
    _generate(folder)
    return folder


def test_the_same_world_is_kept_and_a_later_day_only_appended(tmp_path: Path) -> None:
    made = _generate(tmp_path)
    assert _generate(tmp_path) == made
    later = _generate(tmp_path, end=NEXT_DAY)
    assert _end(tmp_path) == NEXT_DAY
    assert len(set(made) & set(later)) > 40, "the closed months are as they were"
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


def _keep(folder: Path, *options: str, database: Database | None = None) -> str:
    """Generate as `make build` does and return what was said; the exit code must fit it."""
    fits = ["--fits", "ci"] if database else []
    result = run_script(
        *["generate.py", "--scale", SCALE, "--years", YEARS, "--output", str(folder), "--keep"],
        *[*fits, *options],
        env=database.environment if database else None,
        check=False,
    )
    assert (result.returncode == 0) == ("generate:" not in result.stderr), result.stderr
    return result.stderr


def test_a_new_world_reads_no_file_of_the_old_one(tmp_path: Path) -> None:
    # The first month of the second world is half a month of the first.
    _keep(tmp_path / "twice", "--seed", "7", "--end-date", "2025-12-10")
    _keep(tmp_path / "twice", "--seed", "8", "--end-date", "2025-12-20")
    _keep(tmp_path / "once", "--seed", "8", "--end-date", "2025-12-20")
    assert digests(tmp_path / "twice") == digests(tmp_path / "once")


@pytest.mark.parametrize("damage", ["other bytes", "missing", "of another world", "state"])
def test_files_that_are_not_of_the_manifest_are_made_again(tmp_path: Path, damage: str) -> None:
    _generate(tmp_path)
    made = digests(tmp_path)
    sales = tmp_path / "ventas"
    match damage:
        case "other bytes":
            (sales / "ventas_202511.parquet").write_bytes(
                (sales / "ventas_202510.parquet").read_bytes()
            )
        case "missing":
            (sales / "ventas_202511.parquet").unlink()
        case "of another world":
            (sales / "ventas_202411.parquet").write_bytes(b"x")
        case "state":
            (tmp_path / "state.npz").write_bytes(b"x")
    late = sales / "ventas_tarde.csv"
    late.write_text("mine")
    said = _keep(tmp_path, "--seed", SEED, "--end-date", END_DATE)
    assert "this world is made again" in said
    late.unlink(missing_ok=True)
    assert digests(tmp_path) == made


SPOILT = {
    "other bytes": "ventas/ventas_202511.parquet has other bytes than the manifest says",
    "missing": "inventario/inventario_202511.parquet is missing",
    "unlisted": "ventas/ventas_202411.parquet is not in the manifest",
    "rows of a file": "the manifest counts",
    "rows of a table": "the manifest counts",
    "rows of both": "rows were read",
    "days": "its days are 2025-11-01 to 2025-11-30",
    "torn manifest": "manifest.json cannot be read",
}


@pytest.mark.parametrize("damage", SPOILT)
@pytest.mark.parametrize("check_only", [True, False])
def test_the_load_stops_on_a_difference_from_the_manifest(
    generated_data: Path, empty_database: Database, tmp_path: Path, damage: str, check_only: bool
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(generated_data, folder)
    manifest = folder / "manifest.json"
    document = json.loads(manifest.read_text(encoding="utf-8"))
    november = document["files"]["ventas/ventas_202511.parquet"]
    match damage:
        case "other bytes":
            shutil.copy(
                folder / "ventas/ventas_202510.parquet", folder / "ventas/ventas_202511.parquet"
            )
        case "missing":
            (folder / "inventario/inventario_202511.parquet").unlink()
        case "unlisted":
            shutil.copy(
                folder / "ventas/ventas_202510.parquet", folder / "ventas/ventas_202411.parquet"
            )
        case "rows of a file":
            november["rows"] += 1
        case "rows of a table":
            document["rows"]["ventas"] -= 1
        case "rows of both":
            november["rows"] += 1
            document["rows"]["ventas"] += 1
        case "days":
            november["last_day"] = "2025-11-29"
    text = json.dumps(document)
    manifest.write_text(text[:-100] if damage == "torn manifest" else text, encoding="utf-8")
    where = ["--check"] if check_only else ["--target", "ci"]
    result = run_script("load.py", str(folder), *where, env=empty_database.environment, check=False)
    assert result.returncode == 1
    assert SPOILT[damage] in result.stderr
    if not check_only and damage not in ("rows of both", "days", "torn manifest"):
        assert empty_database.query("select count(*) from staging.cargas") == [(0,)]


def test_another_world_is_refused_before_anything_is_made(
    generated_data: Path, empty_database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(generated_data, folder)
    before = digests(folder)
    run_script("load.py", str(folder), "--target", "ci", env=empty_database.environment)
    for options in (
        ["--seed", "8", "--end-date", END_DATE],
        ["--seed", SEED, "--end-date", "2025-12-30"],
        ["--seed", SEED, "--end-date", END_DATE, "--scale", "0.02"],
        ["--seed", SEED, "--end-date", END_DATE, "--years", "2"],
    ):
        said = _keep(folder, *options, database=empty_database)
        assert "another simulated world" in said, options
        assert "loaded there" in said and "asked for" in said
        assert f"seed            {SEED}" in said
        assert f"last day        {END_DATE}" in said
        assert "make clean-db" in said
        assert f"make build SEED={SEED} SCALE={SCALE} END_DATE={END_DATE}" in said
        assert digests(folder) == before
    # What the message says: the loaded world goes on.
    assert "kept" in _keep(folder, "--seed", SEED, "--end-date", END_DATE, database=empty_database)
    _keep(folder, "--seed", SEED, "--end-date", NEXT_DAY, database=empty_database)
    run_script("load.py", str(folder), "--target", "ci", env=empty_database.environment)
    assert empty_database.query("select ultimo_dia::text from staging.mundo") == [(NEXT_DAY,)]


def test_the_loader_itself_refuses_another_world(
    generated_data: Path, empty_database: Database, tmp_path: Path
) -> None:
    _generate(tmp_path / "other", seed="8")
    month = tmp_path / "other" / "ventas" / "ventas_202511.parquet"
    run_script("load.py", str(generated_data), "--target", "ci", env=empty_database.environment)
    before = empty_database.query("select count(*), max(carga_id) from staging.cargas")
    for source in (tmp_path / "other", month):
        refused = run_script(
            *["load.py", str(source), "--target", "ci"],
            env=empty_database.environment,
            check=False,
        )
        assert refused.returncode == 1
        assert "another simulated world" in refused.stderr
    assert empty_database.query("select count(*), max(carga_id) from staging.cargas") == before


def test_two_worlds_at_once_into_an_empty_database_are_one(
    generated_data: Path, empty_database: Database, tmp_path: Path
) -> None:
    _generate(tmp_path / "other", seed="8")

    def load(folder: Path) -> int:
        arguments = ["load.py", str(folder), "--target", "ci"]
        result = run_script(*arguments, env=empty_database.environment, check=False)
        assert "Traceback" not in result.stderr
        return result.returncode

    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(load, [generated_data, tmp_path / "other"]))
    assert sorted(codes) == [0, 1]
    assert empty_database.query(
        "select count(*) from staging.cargas c where estado = 'completa' and tabla = 'raw_ventas'"
    ) == [(len(list((generated_data / "ventas").iterdir())),)]


def test_a_database_loaded_before_worlds_were_noted_is_known_by_its_files(
    generated_data: Path, empty_database: Database, tmp_path: Path
) -> None:
    run_script("load.py", str(generated_data), "--target", "ci", env=empty_database.environment)
    empty_database.query("drop table staging.mundo")
    folder = tmp_path / "data"
    shutil.copytree(generated_data, folder)
    assert "another simulated world" in _keep(
        folder, "--seed", "8", "--end-date", END_DATE, database=empty_database
    )
    assert "kept" in _keep(folder, "--seed", SEED, "--end-date", END_DATE, database=empty_database)
    run_script("load.py", str(folder), "--target", "ci", env=empty_database.environment)
    assert empty_database.query("select semilla::int from staging.mundo") == [(int(SEED),)]
