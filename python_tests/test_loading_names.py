"""File names are names, whatever bytes they are made of; what is passed over is named."""

import gzip
import os
import socket
from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from conftest import Database, run_script
from test_loading_bad_input import GOOD, OTHER, lines
from test_loading_csv import packed
from test_loading_stage import sales

from retail_platform.loading import LoadError, State, check_folder, load_folder
from retail_platform.reporting.deliveries import gate_report
from retail_platform.text import shown_name

STRANGE = [
    b"ventas_[1]",
    b"ventas_1",
    b"ventas_*",
    b"ventas_?",
    b"ventas_{1,2}",
    b"ventas_**",
    b"ventas_'a'",
    b'ventas_"a"',
    b"ventas_a b",
    b"ventas_a\nb",
    b"ventas_\x1b[31m",
    b"ventas_\xff\xfe",
    b"ventas_%s%d",
    b"ventas_\\xff",
    "ventas_ñ\u202e".encode(),
    b"ventas_" + b"x" * 200,
]


def day(number: int) -> pl.DataFrame:
    """Sales of a day that no other file of the test has."""
    return sales(date(2024, 1, 1 + number), range(number * 100 + 1, number * 100 + 6))


def content(kind: str, number: int) -> bytes:
    """Ten rows of a day as a file of a kind."""
    if kind == ".parquet":
        buffer = BytesIO()
        day(number).write_parquet(buffer)
        return buffer.getvalue()
    return packed(day(number).write_csv(time_format="%H:%M:%S").encode(), kind.removeprefix(".csv"))


@pytest.mark.parametrize("kind", [".parquet", ".csv", ".csv.gz", ".csv.zst"])
def test_every_name_that_the_file_system_allows_is_loaded(empty_database: Database, tmp_path, kind):
    for number, name in enumerate(STRANGE):
        (tmp_path / os.fsdecode(name + kind.encode())).write_bytes(content(kind, number))
    report = load_folder(tmp_path, dict(empty_database.parameters))
    assert {file.state for file in report.files} == {State.LOADED}
    assert empty_database.query(
        "select count(*), count(distinct fecha_venta) from staging.raw_ventas"
    ) == [(10 * len(STRANGE), len(STRANGE))]
    names = [name for (name,) in empty_database.query("select archivo from staging.cargas")]
    assert all(name.isprintable() for name in names)
    assert len(set(names)) == len(STRANGE)


def test_a_folder_may_have_any_name_too(empty_database: Database, tmp_path):
    number = 0
    for folder in (b"ventas[1]", b"ventas1", b"\xff*"):
        path = tmp_path / os.fsdecode(folder)
        path.mkdir()
        for kind in (".parquet", ".csv"):
            (path / f"ventas_1{kind}").write_bytes(content(kind, number := number + 1))
    report = load_folder(tmp_path, dict(empty_database.parameters))
    assert {file.state for file in report.files} == {State.LOADED}
    assert empty_database.query("select count(*) from staging.raw_ventas") == [(60,)]


def test_shown_names_are_printable_and_tell_names_apart():
    raw = [b"a\xff", b"a\\xff", "a\xff".encode(), b"a\\\\xff", b"a\n", b"a\\n", b"a\x85", b"a\x1b"]
    shown = [shown_name(os.fsdecode(name)) for name in raw]
    assert all(name.isprintable() for name in shown)
    assert len(set(shown)) == len(raw)
    assert shown[:2] == ["a\\xff", "a\\\\xff"]


def told_by_report(database: Database) -> set[str]:
    """Names of the files that the report says were passed over."""
    [section] = [
        section
        for section in gate_report(database.parameters).sections
        if section.title == "Passed over"
    ]
    return {Path(row[0]).name for row in section.rows}


def test_what_is_passed_over_is_named_with_the_reason(empty_database: Database, tmp_path):
    (tmp_path / "ventas_1.csv").write_bytes(lines(GOOD))
    (tmp_path / "VENTAS_2.PARQUET").write_bytes(content(".parquet", 3))
    for suffix in ("parq", "csv.bz2", "zip", "xlsx"):
        (tmp_path / f"ventas_3.{suffix}").write_bytes(b"x")
    (tmp_path / "ventas_4.csv").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "ventas_5.csv")
    (tmp_path / "ventas_6.csv").mkdir()
    (tmp_path / "otros").mkdir()
    (tmp_path / "otros" / "notas.csv").write_bytes(lines(OTHER))
    (tmp_path / "ventas_7").symlink_to(tmp_path / "otros")
    (tmp_path / ".ventas_8.csv").write_bytes(lines(OTHER))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "ventas_9.csv"))
        result = run_script(
            *["load.py", str(tmp_path), "--target", "ci"], env=empty_database.environment
        )
    told = {
        "ventas_3.parq": "the kind of file is unknown",
        "ventas_3.csv.bz2": "the kind of file is unknown",
        "ventas_3.zip": "the kind of file is unknown",
        "ventas_3.xlsx": "the kind of file is unknown",
        "ventas_4.csv": "a link to a file that does not exist",
        "ventas_5.csv": "a pipe",
        "ventas_6.csv": "the folder is empty",
        "notas.csv": "the name says no table",
        "ventas_7": "a link to a folder",
        "ventas_9.csv": "a socket",
    }
    shown = " ".join(result.stdout.split())
    assert "Passed over" in shown
    for name, reason in told.items():
        assert f"{name} " in shown and reason in shown, name
    assert ".ventas_8.csv" not in shown
    # The report alone says it too, until a load of that folder finds it gone.
    assert told_by_report(empty_database) == told.keys()
    for path in tmp_path.glob("ventas_3.*"):
        path.unlink()
    load_folder(tmp_path, dict(empty_database.parameters))
    assert told_by_report(empty_database) == {name for name in told if "ventas_3" not in name}
    load_folder(tmp_path / "ventas_1.csv", dict(empty_database.parameters))
    assert len(told_by_report(empty_database)) == 6
    assert empty_database.query("select sum(filas_aceptadas)::int from staging.cargas") == [(11,)]


def test_a_run_that_passed_over_everything_is_no_success(tmp_path):
    (tmp_path / "ventas_1.xlsx").write_bytes(b"x")
    (tmp_path / "ventas_2.zip").write_bytes(b"x")
    refused = run_script("load.py", str(tmp_path), "--check", check=False)
    assert refused.returncode == 1
    assert "nothing to load" in refused.stderr
    assert "ventas_1.xlsx: the kind of file is unknown" in refused.stderr
    assert "ventas_2.zip" in refused.stderr


def test_a_file_named_outright_that_is_none_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "ventas_1.csv")
    with pytest.raises(LoadError, match="a pipe"):
        check_folder(tmp_path / "ventas_1.csv")
    long = tmp_path / ("ventas" + "x" * 300)
    with pytest.raises(LoadError, match="cannot be read"):
        check_folder(long)


def test_escapes_reach_neither_terminal_nor_ledger(empty_database: Database, tmp_path):
    escape = "\x1b]0;title\x07"
    text = lines(GOOD, GOOD.replace("10.50", f"10{escape}")).decode()
    header, rest = text.split("\n", 1)
    rows = rest.replace("\n", ",y\n")
    (tmp_path / f"ventas_{escape}.csv").write_bytes(f"{header},x{escape}\n{rows}".encode())
    (tmp_path / f"ventas_bad{escape}.parquet").write_bytes(b"no")
    (tmp_path / f"ventas_{escape}.xlsx").write_bytes(b"no")
    page = tmp_path / "page.html"
    result = run_script(
        *["load.py", str(tmp_path), "--target", "ci", "--max-rejected", "1"],
        *["--report", "--html", str(page)],
        env=empty_database.environment,
        check=False,
    )
    assert result.returncode == 1
    for shown in (result.stdout, result.stderr, page.read_text(encoding="utf-8")):
        assert "\x1b" not in shown and "\x07" not in shown
    assert "\\u001b]0;title" in result.stdout and "\\u001b]0;title" in result.stderr
    names = empty_database.query("select archivo from staging.cargas")
    assert all(name.isprintable() for (name,) in names)


def test_the_loader_reads_gz_of_several_members(empty_database: Database, tmp_path):
    packed_twice = gzip.compress(lines(GOOD)) + gzip.compress(f"{OTHER}\n".encode())
    (tmp_path / "ventas_1.csv.gz").write_bytes(packed_twice)
    report = load_folder(tmp_path, dict(empty_database.parameters))
    assert report.files[0].tally.accepted == 2
