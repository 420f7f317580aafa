"""Runs of the simulator: same bytes however made, growth by days, what is refused."""

from __future__ import annotations

import json
import os
import pickle
import select
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from conftest import digests

from retail_platform.commands.generate import main
from retail_platform.simulator.config import SimulatorError, WorldConfig, config_for
from retail_platform.simulator.manifest import read_manifest
from retail_platform.simulator.simulation import append, generate
from retail_platform.simulator.workers import keep, take

PROJECT = Path(__file__).resolve().parents[1]
END = date(2025, 3, 20)
SCALE = 0.02


def _config(seed: int = 7, years: int = 1) -> WorldConfig:
    return config_for(seed=seed, scale=SCALE, end=END, years=years)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year made in one run by one worker."""
    folder = tmp_path_factory.mktemp("once")
    generate(_config(), END, folder)
    return folder


def test_any_number_of_workers_gives_the_same_bytes(at_once: Path, tmp_path: Path) -> None:
    generate(_config(), END, tmp_path, workers=2)
    assert digests(tmp_path) == digests(at_once)


def test_another_seed_gives_another_world(at_once: Path, tmp_path: Path) -> None:
    generate(_config(seed=8), END, tmp_path)
    same = digests(tmp_path).items() & digests(at_once).items()
    assert {name for name, _ in same} == {".generate.lock"}


def test_a_world_made_day_by_day_is_the_world_made_at_once(at_once: Path, tmp_path: Path) -> None:
    generate(_config(), END - timedelta(days=25), tmp_path)
    day = END - timedelta(days=24)
    while day <= END:
        append(day, tmp_path)
        day += timedelta(days=1)
    assert digests(tmp_path) == digests(at_once)


def test_a_later_day_delivers_the_rows_that_changed(at_once: Path, tmp_path: Path) -> None:
    shutil.copytree(at_once, tmp_path, dirs_exist_ok=True)
    before = pl.read_parquet(tmp_path / "tiendas.parquet")
    append(END + timedelta(days=400), tmp_path)
    planted = json.loads((tmp_path / "manifest.json").read_text())["planted"]
    changes = [c for c in planted["attribute_changes"] if c["day"] > END.isoformat()]
    moved = {c["number"]: c["after"] for c in changes if c["column"] == "gerencia"}
    after = pl.read_parquet(tmp_path / "tiendas.parquet")
    both = before.join(after, on="tienda_id", suffix="_now")
    for store, area, now in both.select("tienda_id", "gerencia", "gerencia_now").iter_rows():
        assert now == moved.get(store, area)
    assert moved
    assert any(c["column"] == "categoria" for c in changes)


def test_months_that_are_over_are_not_touched_by_an_append(at_once: Path, tmp_path: Path) -> None:
    generate(_config(), END - timedelta(days=1), tmp_path)
    closed = tmp_path / "ventas" / "ventas_202502.parquet"
    before = closed.stat().st_mtime_ns
    append(END, tmp_path)
    assert closed.stat().st_mtime_ns == before
    assert digests(tmp_path) == digests(at_once)


def test_an_append_repeated_after_it_was_cut_off_adds_nothing_twice(
    at_once: Path, tmp_path: Path
) -> None:
    generate(_config(), END - timedelta(days=1), tmp_path)
    kept = {name: (tmp_path / name).read_bytes() for name in ("manifest.json", "state.npz")}
    append(END, tmp_path)
    for name, content in kept.items():  # as if killed before the last files were renamed
        (tmp_path / name).write_bytes(content)
    append(END, tmp_path)
    assert digests(tmp_path) == digests(at_once)


def test_a_new_world_leaves_no_file_of_the_old_one(tmp_path: Path) -> None:
    generate(_config(), END, tmp_path)
    kept = tmp_path / "notes.txt"
    kept.write_text("mine")
    end = date(2024, 6, 30)
    generate(config_for(seed=7, scale=SCALE, end=end, years=1), end, tmp_path)
    assert not list(tmp_path.glob("*/*_2025*.parquet"))
    assert kept.exists()


def test_memory_does_not_grow_with_the_years(tmp_path: Path) -> None:
    code = (
        "import sys, resource; from retail_platform.commands.generate import main;"
        "main(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for years in (1, 5):
        options = ["--scale", "0.1", "--years", str(years), "--workers", "1", "--quiet"]
        run = subprocess.run(
            [sys.executable, "-c", code, *options, "--output", str(tmp_path / str(years))],
            capture_output=True,
            text=True,
            check=True,
            cwd=PROJECT,
        )
        peaks.append(int(run.stdout))
    assert peaks[1] < 1.3 * peaks[0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--scale", "0"], "a number above 0"),
        (["--scale", "much"], "'much'"),
        (["--scale", "nan"], "a number above 0"),
        (["--scale", "21"], "at most 20"),
        (["--seed", "-1"], "0 or more"),
        (["--end-date", "2025-02-30"], "YYYY-MM-DD"),
        (["--end-date", "31/12/2025"], "YYYY-MM-DD"),
        (["--end-date", "2040-01-01"], "2035-12-31"),
        (["--years", "0"], "1 or more"),
        (["--years", "15"], "2015-01-01"),
        (["--workers", "0"], "1 to 64"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = ["--end-date", "2025-12-31", "--scale", "0.01", "--output", str(tmp_path / "data")]
    with pytest.raises(SystemExit) as stop:
        raise SystemExit(main([*fixed, *options]))
    assert stop.value.code == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("spoil", ["nothing", "not json", "older", "state"])
def test_a_world_that_cannot_be_continued_is_refused(
    spoil: str, at_once: Path, tmp_path: Path
) -> None:
    manifest, state = tmp_path / "manifest.json", tmp_path / "state.npz"
    end = END + timedelta(days=1)
    if spoil != "nothing":
        manifest.write_bytes((at_once / "manifest.json").read_bytes())
        state.write_bytes((at_once / "state.npz").read_bytes())
    if spoil == "not json":
        manifest.write_text("{")
    elif spoil == "older":
        model = read_manifest(manifest).model
        manifest.write_text(manifest.read_text().replace(model, "another"))
    elif spoil == "state":
        state.write_bytes(b"")
    told = {
        "nothing": "generate one without --append",
        "not json": "not a manifest",
        "older": "another version",
        "state": "cannot be read",
    }
    with pytest.raises(SimulatorError, match=told[spoil]):
        append(end, tmp_path)
    assert not list(tmp_path.rglob("*.parquet"))


def test_an_append_to_a_day_that_exists_is_refused(at_once: Path) -> None:
    with pytest.raises(SimulatorError, match="already"):
        append(END, at_once)


def test_a_worker_that_is_killed_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    def kill_a_worker(days: int) -> None:
        workers = [
            child
            for child in _children(os.getpid())
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
        for worker in workers[:1]:  # none is left when months that were finished are told
            os.kill(worker, signal.SIGKILL)

    with pytest.raises(SimulatorError, match="worker was killed"):
        generate(_config(years=3), END, tmp_path, workers=2, on_day=kill_a_worker)
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_worker_sends_little_so_that_it_cannot_be_killed_in_the_middle(tmp_path: Path) -> None:
    large = bytes(1_000_000)
    kept: Future[Path] = Future()
    kept.set_result(keep(tmp_path, bytes, large))
    assert len(pickle.dumps(kept.result())) < select.PIPE_BUF
    assert take(kept) == large
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "ventas").write_text("not a folder")
    with pytest.raises(SimulatorError, match="cannot write"):
        generate(_config(), END, tmp_path)
    assert not (tmp_path / ".partial").exists()


def test_a_second_run_into_the_same_folder_waits_for_nobody(tmp_path: Path) -> None:
    def second_run(days: int) -> None:
        with pytest.raises(SimulatorError, match="another run"):
            generate(_config(), END, tmp_path)

    generate(_config(), END, tmp_path, on_day=second_run)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_cut_off_leaves_the_world_as_it_was(
    number: signal.Signals, at_once: Path, tmp_path: Path
) -> None:
    generate(_config(), END, tmp_path)
    before = digests(tmp_path)
    options = ["--scale", "1", "--years", "2", "--output", str(tmp_path)]
    run = subprocess.Popen(
        [sys.executable, "scripts/generate.py", *options],
        cwd=PROJECT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".partial/ventas/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    children = _children(run.pid)
    os.kill(run.pid, number)
    assert run.stderr is not None
    assert run.wait(timeout=60) == (-9 if number == signal.SIGKILL else 130)
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline, "a worker outlived its run"
        time.sleep(0.05)
    assert "Traceback" not in run.stderr.read()
    left = {name: digest for name, digest in digests(tmp_path).items() if ".partial" not in name}
    assert left == before
    generate(_config(), END, tmp_path)
    assert digests(tmp_path) == digests(at_once)


def _children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(child) for child in text.split()]
