"""Loads at the same time: different files, the same file, the same keys, beside readers."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from conftest import Database
from test_loading_stage import sales, write

from retail_platform.loading import FileReport, LoadError, Settings, State, load_folder, loader
from retail_platform.loading.schema import prepare


def load_together(database: Database, paths: Sequence[Path]) -> list[FileReport]:
    """Load each file by a loader of its own, all started at the same moment."""
    start = threading.Barrier(len(paths))

    def load(path: Path) -> FileReport:
        start.wait()
        (report,) = load_folder(path, dict(database.parameters), Settings(workers=1)).files
        return report

    with ThreadPoolExecutor(len(paths)) as pool:
        return list(pool.map(load, paths))


def test_different_files_of_one_month_on_an_empty_database(empty_database: Database, tmp_path):
    paths = [
        write(
            tmp_path, f"ventas_{n}.parquet", sales(date(2024, 1, n), range(n * 100, n * 100 + 50))
        )
        for n in range(1, 7)
    ]
    reports = load_together(empty_database, paths)
    assert {report.state for report in reports} == {State.LOADED}
    assert empty_database.query("select count(*) from staging.raw_ventas") == [(600,)]
    assert empty_database.query("select filas from staging.versiones_mes") == [(600,)]


def test_the_same_file_twice_at_once_is_loaded_once(empty_database: Database, tmp_path):
    path = write(tmp_path, "ventas_1.parquet", sales(date(2024, 1, 1), range(1, 5_000)))
    reports = load_together(empty_database, [path, path])
    assert sorted(report.state for report in reports) == [State.ALREADY_LOADED, State.LOADED]
    assert empty_database.query("select count(*) from staging.raw_ventas") == [(9_998,)]


def test_the_same_keys_at_once_end_up_once(empty_database: Database, tmp_path):
    paths = [
        write(tmp_path, f"ventas_{n}.parquet", sales(date(2024, 1, 1), range(1, 3_000), f"{n}.00"))
        for n in range(1, 5)
    ]
    load_together(empty_database, paths)
    assert empty_database.query(
        "select count(*), count(distinct carga_id), count(distinct (ticket_id, linea)) "
        "from staging.raw_ventas"
    ) == [(5_998, 1, 5_998)]
    assert empty_database.query(
        "select sum(filas_aceptadas - filas_sustituidas), max(v.filas) "
        "from staging.cargas, staging.versiones_mes v"
    ) == [(5_998, 5_998)]


def test_a_correction_in_the_same_folder_wins_though_it_is_faster(
    empty_database: Database, tmp_path
):
    write(tmp_path, "ventas_1.parquet", sales(date(2024, 1, 1), range(1, 200_000), "1.00"))
    write(tmp_path, "ventas_2.parquet", sales(date(2024, 1, 1), range(5, 6), "2.00"))
    write(tmp_path, "ventas_3.parquet", sales(date(2024, 1, 1), range(5, 6), "3.00"))
    report = load_folder(tmp_path, dict(empty_database.parameters), Settings(workers=3))
    assert [file.replaced for file in report.files] == [0, 2, 2]
    assert empty_database.query(
        "select distinct precio_unitario::text from staging.raw_ventas where ticket_id = 5"
    ) == [("3.00",)]


def test_equal_files_in_one_folder_are_loaded_once(empty_database: Database, tmp_path):
    for name in "abc":
        write(tmp_path, f"ventas_{name}.parquet", sales(date(2024, 1, 1), range(1, 5_000)))
    report = load_folder(tmp_path, dict(empty_database.parameters), Settings(workers=3))
    assert [file.state for file in report.files] == [State.LOADED, *[State.ALREADY_LOADED] * 2]
    assert empty_database.query("select count(*) from staging.raw_ventas") == [(9_998,)]


def test_a_failed_file_lets_the_next_one_on(empty_database: Database, tmp_path):
    (tmp_path / "ventas_1.parquet").write_bytes(b"torn")
    write(tmp_path, "ventas_2.parquet", sales(date(2024, 1, 1), range(1, 5)))
    report = load_folder(tmp_path, dict(empty_database.parameters), Settings(workers=1))
    assert [file.state for file in report.files] == [State.FAILED, State.LOADED]


def test_the_version_names_the_load_that_committed_last(empty_database: Database, tmp_path):
    paths = [
        write(
            tmp_path,
            f"ventas_{n}.parquet",
            sales(date(2024, 1, n), range(n * 10_000, n * 10_000 + 900 * n)),
        )
        for n in range(1, 5)
    ]
    load_together(empty_database, paths)
    assert empty_database.query(
        "select v.version = "
        "(select carga_id from staging.cargas order by terminada_en desc limit 1) "
        "from staging.versiones_mes v"
    ) == [(True,)]


def test_readers_see_a_file_whole_or_not_at_all(empty_database: Database, tmp_path, monkeypatch):
    path = write(tmp_path, "ventas_1.parquet", sales(date(2024, 1, 1), range(1, 400_000), lines=1))
    seen = (
        "select (select count(*) from staging.raw_ventas), (select count(*) from staging.cargas), "
        "(select count(*) from staging.versiones_mes)"
    )
    between: list[tuple] = []
    send = loader._send

    def send_and_look(*arguments: object) -> None:
        send(*arguments)
        between.extend(empty_database.query(seen))

    monkeypatch.setattr(loader, "_send", send_and_look)
    load_folder(path, dict(empty_database.parameters))
    assert len(between) > 1 and set(between) == {(0, 0, 0)}
    assert empty_database.query(seen) == [(399_999, 1, 1)]


def test_a_reader_does_not_wait_for_a_load_nor_a_load_for_a_reader(
    empty_database: Database, tmp_path
):
    load_folder(
        write(tmp_path, "ventas_1.parquet", sales(date(2024, 1, 1), range(1, 10))),
        dict(empty_database.parameters),
    )
    with closing(empty_database.connect()) as reader, reader.cursor() as cursor:
        # A transaction that reads the table stays open while a new month and a correction come in.
        cursor.execute("select count(*) from staging.raw_ventas")
        second = write(tmp_path, "ventas_2.parquet", sales(date(2024, 2, 1), range(20, 30)))
        third = write(tmp_path, "ventas_3.parquet", sales(date(2024, 1, 1), range(1, 5), "9.00"))
        timed = dict(empty_database.parameters) | {"options": "-c lock_timeout=2s"}
        report = load_folder([second, third], timed)
        assert not report.failed


def test_a_new_load_does_not_wait_for_one_that_is_writing(empty_database: Database, tmp_path):
    first = write(tmp_path, "ventas_1.parquet", sales(date(2024, 1, 1), range(1, 10)))
    load_folder(first, dict(empty_database.parameters))
    with closing(empty_database.connect()) as writer, writer.cursor() as cursor:
        # What a long load holds: rows in every table it writes, and the lock of its file.
        for table in ("cuarentena.filas_archivo", "staging.cargas", "staging.raw_ventas_p202401"):
            cursor.execute(f"lock table {table} in row exclusive mode")
        second = write(tmp_path, "ventas_2.parquet", sales(date(2024, 2, 1), range(20, 30)))
        timed = dict(empty_database.parameters) | {"options": "-c lock_timeout=2s"}
        report = load_folder(second, timed)
    assert not report.failed


def test_two_loaders_prepare_an_empty_database_at_once(empty_database: Database):
    def run(_: int) -> None:
        with closing(empty_database.connect()) as connection:
            prepare(connection)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert empty_database.query("select count(*) from staging.cargas") == [(0,)]


def test_an_old_server_is_refused():
    class OldServer:
        server_version = 140_011

    with pytest.raises(LoadError, match="PostgreSQL 14; at least 15"):
        prepare(OldServer())


def test_a_server_out_of_reach_is_said(tmp_path):
    path = write(tmp_path, "ventas_1.parquet", sales(date(2024, 1, 1), range(1, 10)))
    with pytest.raises(LoadError, match="no connection to the target"):
        load_folder(path, {"host": "127.0.0.1", "port": "1", "user": "x", "dbname": "x"})
