"""The ledger describes the bytes that were loaded, whatever happens to the file meanwhile."""

import gzip
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from conftest import PROJECT, Database
from test_loading_csv import packed
from test_loading_stage import sales

from retail_platform.loading import (
    State,
    check_folder,
    contents,
    files,
    ledger,
    load_folder,
    loader,
)

FIRST = sales(date(2024, 1, 5), range(1, 4_000), "1.00")
SECOND = sales(date(2024, 1, 5), range(1, 4_000), "2.00")


HOLD = """
import sys, time
from pathlib import Path
from retail_platform.loading.contents import private_copy
with private_copy(Path(sys.argv[1]), None) as copy:
    print(copy.parent, flush=True)
    time.sleep(600)
"""


def test_copies_of_a_killed_load_go_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)
    file = tmp_path / "ventas_1.csv"
    written(file, "1.00", ".csv")
    foreign = scratch / "retail-load-foreign"
    foreign.symlink_to(tmp_path)
    loads = [
        subprocess.Popen([sys.executable, "-c", HOLD, file], stdout=subprocess.PIPE, cwd=PROJECT)
        for _ in range(2)
    ]
    try:
        killed, alive = (Path(str(load.stdout.readline(), "utf-8").strip()) for load in loads)  # type: ignore[union-attr]
        loads[0].kill()
        loads[0].wait()
        assert (killed / "file").is_file()
        check_folder(file)
        assert not killed.exists() and (alive / "file").is_file()
        assert file.is_file() and foreign.is_symlink()
    finally:
        for load in loads:
            load.kill()
            load.wait()


def written(path: Path, price: str, kind: str) -> bytes:
    """Write the sales at a price, over what is in the file, and return the bytes."""
    frame = FIRST if price == "1.00" else SECOND
    if kind == ".parquet":
        fresh = path.with_name("fresh")
        frame.write_parquet(fresh)
        data = fresh.read_bytes()
        fresh.unlink()
    else:
        text = frame.write_csv(time_format="%H:%M:%S").encode()
        data = packed(text, kind.removeprefix(".csv"))
        if kind == ".csv.gz":
            data = gzip.compress(text, mtime=0)  # the same bytes at any time
    path.write_bytes(data)
    return data


def rewrite(path: Path, kind: str) -> None:
    """Other bytes in the same file."""
    written(path, "2.00", kind)


def replace(path: Path, kind: str) -> None:
    """Another file under the same name."""
    other = path.with_suffix(".other")
    written(other, "2.00", kind)
    other.replace(path)


def truncate(path: Path, kind: str) -> None:
    """Half of the bytes."""
    os.truncate(path, path.stat().st_size // 2)


def remove(path: Path, kind: str) -> None:
    """No file any more."""
    path.unlink()


# Where the load is stopped: what is called next, and the module that calls it.
POINTS = {
    "after the hashes": (ledger, "loaded_hashes"),
    "after the ledger was asked": (ledger, "begin"),
    "before the file is read": (loader, "read_batches"),
    "while it is sent": (loader, "_send"),
    "before the end": (ledger, "finish"),
}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        *product([".csv", ".parquet"], [rewrite, replace, truncate, remove]),
        (".csv.gz", rewrite),
        (".csv.zst", rewrite),
    ],
)
@pytest.mark.parametrize("point", POINTS)
def test_a_file_that_changes_is_loaded_as_read_or_refused(
    empty_database: Database, tmp_path, monkeypatch, kind, change: Callable, point
):
    path = tmp_path / f"ventas_1{kind}"
    first = written(path, "1.00", kind)
    module, name = POINTS[point]
    original = getattr(module, name)
    changed = []

    def stop(*arguments: object) -> object:
        if not changed:
            changed.append(True)
            time.sleep(0.02)
            change(path, kind)
        return original(*arguments)

    monkeypatch.setattr(module, name, stop)
    # Small blocks: a CSV file is then not read whole at once.
    monkeypatch.setattr("retail_platform.loading.csv_rows.BLOCK_BYTES", 10_000)
    (report,) = load_folder(path, dict(empty_database.parameters)).files
    monkeypatch.undo()
    assert changed
    complete = empty_database.query(
        "select sha256, filas_aceptadas from staging.cargas where estado = 'completa'"
    )
    prices = empty_database.query("select distinct precio_unitario::text from staging.raw_ventas")
    if report.state is State.LOADED:
        # The hash is of the bytes of which the rows are.
        price = prices[0][0]
        fresh = written(tmp_path / "again", price, kind)
        assert len(prices) == 1
        assert complete == [(hashlib.sha256(fresh).hexdigest(), 7_998)]
    else:
        assert report.state is State.FAILED
        assert "changed" in str(report.error) or "cannot be read" in str(report.error)
        assert (complete, prices) == ([], [])
    # Whatever happened: the first bytes can be delivered, and then are there.
    path.write_bytes(first)
    (again,) = load_folder(path, dict(empty_database.parameters)).files
    assert again.state in (State.LOADED, State.ALREADY_LOADED)
    assert empty_database.query(
        "select precio_unitario::text, count(*) from staging.raw_ventas group by 1"
    ) == [("1.00", 7_998)]


def test_one_unreadable_file_among_many_stops_nobody(
    empty_database: Database, tmp_path, monkeypatch
):
    for number in range(1, 6):
        frame = sales(date(2024, 1, number), range(number * 10, number * 10 + 3))
        frame.write_parquet(tmp_path / f"ventas_{number}.parquet")
    find = loader.find_files

    def find_and_lose(*arguments: object) -> files.Found:
        found = find(*arguments)
        (tmp_path / "ventas_2.parquet").unlink()
        (tmp_path / "ventas_4.parquet").unlink()
        os.mkfifo(tmp_path / "ventas_4.parquet")
        return found

    monkeypatch.setattr(loader, "find_files", find_and_lose)
    report = load_folder(tmp_path, dict(empty_database.parameters))
    assert [file.state for file in report.files] == [
        State.LOADED,
        State.FAILED,
        State.LOADED,
        State.FAILED,
        State.LOADED,
    ]
    assert "cannot be read: No such file" in str(report.failed[0].error)
    assert "no ordinary file" in str(report.failed[1].error)


def test_a_second_equal_file_is_loaded_when_the_first_is_lost(
    empty_database: Database, tmp_path, monkeypatch
):
    for name in "ab":
        FIRST.write_parquet(tmp_path / f"ventas_{name}.parquet")
    read = loader.read_batches

    def lose(file: files.SourceFile, digest: str | None = None) -> object:
        if file.path.name == "ventas_a.parquet":
            file.path.unlink()
        return read(file, digest)

    monkeypatch.setattr(loader, "read_batches", lose)
    report = load_folder(tmp_path, dict(empty_database.parameters))
    assert [file.state for file in report.files] == [State.FAILED, State.LOADED]
    assert empty_database.query("select count(*) from staging.raw_ventas") == [(7_998,)]


def test_equal_bytes_for_two_tables_are_two_loads(empty_database: Database, tmp_path):
    text = (
        "ticket_id,linea,fecha_venta,hora,tienda_id,producto_id,canal,unidades,precio_unitario,"
        "descuento_pct,costo_unitario,devolucion_id,fecha_devolucion,importe\n"
        "1,1,2024-01-31,10:30:00,7,3,tienda,2,10.50,0,6.10,9,2024-02-01,21.00\n"
    )
    for name in ("ventas.csv", "devoluciones.csv"):
        (tmp_path / name).write_text(text)
    report = load_folder(tmp_path, dict(empty_database.parameters))
    assert [file.state for file in report.files] == [State.LOADED] * 2
    assert empty_database.query("select count(*) from staging.raw_devoluciones") == [(1,)]


def test_a_file_that_never_rests_is_never_taken_for_another(empty_database: Database, tmp_path):
    path = tmp_path / "ventas_1.csv"
    versions = {price: written(path, price, ".csv") for price in ("1.00", "2.00")}
    stopped = threading.Event()

    def write_on() -> None:
        while not stopped.is_set():
            for data in versions.values():
                path.write_bytes(data)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        for _ in range(10):
            load_folder(path, dict(empty_database.parameters))
    finally:
        stopped.set()
        writer.join()
    known = {hashlib.sha256(data).hexdigest(): price for price, data in versions.items()}
    for load_id, digest in empty_database.query(
        "select carga_id, sha256 from staging.cargas where estado = 'completa' "
        "and filas_aceptadas = 7998"
    ):
        assert empty_database.query(
            "select distinct precio_unitario::text from staging.raw_ventas where carga_id = %s",
            load_id,
        ) in ([(known[digest],)], [])


def test_private_copies_go_away(tmp_path, monkeypatch):
    monkeypatch.setattr(contents.tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    FIRST.write_parquet(tmp_path / "ventas_1.parquet")
    loader.check_folder(tmp_path / "ventas_1.parquet")
    assert list((tmp_path / "tmp").iterdir()) == []
