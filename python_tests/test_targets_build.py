"""`make build` as a newcomer runs it, in a copy of the project: once, again, with other data."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from conftest import PROJECT, SCALE, free_port

YESTERDAY = (datetime.date.today() - datetime.timedelta(days=1)).isoformat()
NOT_COPIED = (".git", ".venv*", ".postgres*", "data", "target", "logs", "profiles.yml", ".*_cache")

Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def make() -> Iterator[Make]:
    """Runs make in a copy of the project, with the packages that are installed here."""
    with tempfile.TemporaryDirectory(prefix="retail-test-") as name:
        folder = Path(name) / "project"
        Path(name).chmod(0o755)
        shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
        environment = os.environ | {
            "RETAIL_LOCAL_PORT": str(free_port()),
            "RETAIL_PG_HOME": "",
            "PYTHONPATH": str(folder),
        }

        def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
            # -o: the stamp of the installation counts as fresh, so nothing is installed.
            command = ["make", f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.installed", *arguments]
            result = subprocess.run(
                [*command, f"END_DATE={YESTERDAY}"],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if check and result.returncode:
                pytest.fail(f"{command}\n{result.stdout[-6000:]}\n{result.stderr[-3000:]}", False)
            return result

        run.folder = folder  # type: ignore[attr-defined]
        yield run
        run("db-stop", check=False)


@pytest.fixture(scope="module")
def first_build(make: Make) -> str:
    """The output of the first build."""
    return make("build", f"SCALE={SCALE}").stdout


def test_the_build_ends_with_answers_to_all_questions_and_to_the_seeds_own(
    first_build: str,
) -> None:
    assert first_build.count("ms in the server") == 8
    assert "\n0 of 0 rows" not in first_build


def test_a_second_build_keeps_the_data_and_loads_nothing(first_build: str, make: Make) -> None:
    second = make("build", f"SCALE={SCALE}")
    assert "kept, it holds this world" in second.stdout + second.stderr
    assert "0 rows in" in second.stdout
    assert second.stdout.count("ms in the server") == 8


def test_answers_start_a_server_that_is_stopped(first_build: str, make: Make) -> None:
    make("db-stop")
    assert make("answers").stdout.count("ms in the server") == 8


def lines_loaded(make: Make) -> int:
    with (
        closing(psycopg2.connect(make("db-url").stdout.strip())) as session,
        session.cursor() as cursor,
    ):
        cursor.execute("select count(*) from staging.raw_ventas")
        [(count,)] = cursor.fetchall()
    return int(count)


def test_a_world_of_another_scale_is_refused_and_the_way_out_that_is_named_works(
    first_build: str, make: Make
) -> None:
    def files() -> dict[str, bytes]:
        data = Path(make.folder) / "data"  # type: ignore[attr-defined]
        return {str(path): path.read_bytes() for path in data.rglob("*") if path.is_file()}

    before, kept = lines_loaded(make), files()
    refused = make("build", "SCALE=0.02", check=False)
    assert refused.returncode != 0
    assert "another simulated world" in refused.stderr
    assert "loaded there" in refused.stderr
    assert "make clean-db" in refused.stderr
    assert lines_loaded(make) == before
    assert files() == kept, "data/ is as it was"
    make("clean-db")
    make("generate", "load", "SCALE=0.02")
    assert lines_loaded(make) > before, "from here the build goes on as the first one did"


def test_an_unknown_target_stops_before_anything_is_generated(make: Make) -> None:
    refused = make("build", "TARGET=prod", "SEED=5", check=False)
    assert refused.returncode != 0
    assert "ci, local, rds" in refused.stderr
    assert "Simulating" not in refused.stdout + refused.stderr
