"""CSV files in all their dialects, and what holds for arbitrary files."""

import csv
import gzip
from io import BytesIO, StringIO
from itertools import pairwise, product
from pathlib import Path

import polars as pl
import pytest
from conftest import Database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_loading_bad_input import COLUMNS, GOOD, HEADER, OTHER, lines

from retail_platform.loading import FileMapping, Settings, check_folder, csv_rows, load_folder
from retail_platform.loading.csv_rows import Batch, open_csv
from retail_platform.loading.mapping import TableMapping

QUICK = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXT = st.text(st.characters(codec="latin-1", exclude_characters="\r\x00\x85"), max_size=12).map(
    str.strip
)


def read(path: Path, header: list[str], encoding: str = "utf-8") -> Batch:
    """All rows of a file."""
    batches = list(open_csv(path, header, encoding).batches())
    return Batch(
        pl.concat(batch.rows for batch in batches),
        pl.concat(batch.unreadable for batch in batches),
    )


def write(rows: list[list[str]], separator: str, line_end: str, encoding: str, bom: bool) -> bytes:
    """Rows as Python's csv module writes them."""
    text = StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=line_end).writerows(rows)
    return (b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode(encoding)


def packed(content: bytes, compression: str) -> bytes:
    """Bytes compressed as the suffix says; polars writes the zst."""
    if compression == ".gz":
        return gzip.compress(content)
    if compression == ".zst":
        buffer = BytesIO()
        frame = pl.DataFrame({"line": content.decode().removesuffix("\n").split("\n")})
        frame.write_csv(buffer, include_header=False, quote_style="never", compression="zstd")
        return buffer.getvalue()
    return content


@pytest.mark.parametrize(
    ("separator", "line_end", "encoding", "compression"),
    [
        (*dialect, *form)
        for dialect in product(",;\t|", ["\n", "\r\n"])
        # Documented: a zst file must be UTF-8.
        for form in [*product(["utf-8", "latin-1"], ["", ".gz"]), ("utf-8", ".zst")]
    ],
)
def test_dialects_are_read_alike(tmp_path, separator, line_end, encoding, compression):
    rows = [["a", "b", "c"], ["ñandú", 'dijo "sí"', "1,5"], ["x;y", "", "t\tt|"]]
    path = tmp_path / f"ventas.csv{compression}"
    content = write(rows, separator, line_end, encoding, bom=encoding == "utf-8")
    path.write_bytes(packed(content, compression))
    assert read(path, rows[0], encoding).rows.rows() == [(1, *rows[1]), (2, *rows[2])]


@QUICK
@given(
    rows=st.lists(st.lists(TEXT, min_size=3, max_size=3), min_size=1, max_size=30),
    separator=st.sampled_from(csv_rows.SEPARATORS),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "latin-1", "utf-16"]),
    block=st.integers(20, 400),
)
def test_what_was_written_is_read(tmp_path, rows, separator, line_end, encoding, block):
    # A row of three empty fields is written as two separators, so it is no blank line.
    path = tmp_path / "x.csv"
    header = ["a", "b", "c"]
    path.write_bytes(write([header, *rows], separator, line_end, encoding, bom=False))
    with pytest.MonkeyPatch.context() as patch:
        # Blocks of some bytes: rows, line endings and quoted fields come apart between them.
        patch.setattr(csv_rows, "BLOCK_BYTES", block)
        found = read(path, header, encoding)
    assert found.unreadable.is_empty()
    assert found.rows.rows() == [(n, *row) for n, row in enumerate(rows, 1)]


@QUICK
@given(content=st.binary(max_size=600), block=st.integers(8, 600))
def test_any_bytes_are_accepted_or_refused_once(tmp_path, content, block):
    path = tmp_path / "ventas.csv"
    path.write_bytes(HEADER.encode() + b"\n" + content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "BLOCK_BYTES", block)
        try:
            found = read(path, list(COLUMNS))
        except csv_rows.LoadError:
            return
    numbers = sorted([*found.rows["fila"], *found.unreadable["fila"]])
    assert numbers == list(range(1, len(numbers) + 1))
    if b'"' not in content:
        text = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        assert len(numbers) == sum(bool(line.strip()) for line in text.split(b"\n"))


BROKEN = st.one_of(
    st.sampled_from([GOOD, OTHER, "", '"', GOOD + ",", GOOD[:-3], "TOTAL", ",,,,,,,,,,"]),
    st.builds(
        lambda place, value: (
            ",".join([*COLUMNS.values()][:place] + [value])
            + "," * bool(place < 10)
            + ",".join([*COLUMNS.values()][place + 1 :])
        ),
        st.integers(0, 10),
        st.one_of(TEXT, st.integers().map(str), st.decimals().map(str), st.dates().map(str)),
    ),
)


@QUICK
@given(rows=st.lists(BROKEN, max_size=40))
def test_delivered_is_accepted_plus_rejected(tmp_path, rows):
    path = tmp_path / "ventas.csv"
    path.write_text("\n".join([HEADER, *rows]), encoding="utf-8", newline="")
    (report,) = check_folder(path, Settings(max_rejected=1)).files
    tally = report.tally
    assert report.error is None
    assert tally.delivered == tally.accepted + tally.rejected
    assert tally.accepted == sum(tally.months.values())
    assert tally.rejected <= sum(tally.reasons.values())
    if not any('"' in row or "\n" in row for row in rows):
        assert tally.delivered == sum(bool(row.strip()) for row in rows)
        assert tally.accepted >= sum(row in (GOOD, OTHER) for row in rows)


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(BROKEN, min_size=1, max_size=40))
def test_delivered_is_in_the_tables(empty_database: Database, tmp_path, rows):
    empty_database.query("drop schema if exists staging, cuarentena cascade")
    path = tmp_path / "ventas.csv"
    path.write_text("\n".join([HEADER, *rows]), encoding="utf-8", newline="")
    (report,) = load_folder(path, dict(empty_database.parameters), Settings(max_rejected=1)).files
    assert report.error is None
    assert empty_database.query(
        "select filas_entregadas, (select count(*) from staging.raw_ventas) "
        "+ (select count(distinct fila) from cuarentena.filas_archivo) from staging.cargas"
    ) == [(report.tally.delivered, report.tally.delivered)]


def test_one_torn_row_costs_no_speed_elsewhere(tmp_path):
    # Three blocks, the second with a torn row: only that one is split row by row.
    path = tmp_path / "ventas.csv"
    rows = [GOOD] * 300_000
    rows[150_000] = "TOTAL"
    path.write_bytes(lines(*rows))
    slow: list[int] = []
    split = csv_rows._split_row_by_row
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            csv_rows,
            "_split_row_by_row",
            lambda block, *rest: slow.append(len(block)) or split(block, *rest),
        )
        found = read(path, list(COLUMNS))
    assert found.unreadable["fila"].to_list() == [150_001]
    assert len(found.rows) == 299_999
    assert len(slow) == 1 and slow[0] <= csv_rows.BLOCK_BYTES + 200


def test_row_numbers_go_on_over_blocks(tmp_path):
    path = tmp_path / "ventas.csv"
    path.write_bytes(lines(*[GOOD] * 300_000))
    numbers = read(path, list(COLUMNS)).rows["fila"].to_list()
    assert numbers[0] == 1
    assert all(b == a + 1 for a, b in pairwise(numbers))
    assert len(numbers) == 300_000


def test_a_stray_mark_on_every_row_is_bounded(tmp_path):
    # Every row opens a field that is never closed: each is refused, and none takes the rest along.
    path = tmp_path / "ventas.csv"
    path.write_bytes(lines(*[GOOD.replace("tienda", '"tienda')] * 2_001))
    found = read(path, list(COLUMNS))
    assert len(found.rows) + len(found.unreadable) == 2_001
    assert set(found.unreadable["motivo"]) == {"COMILLAS_INVALIDAS"}


def test_wrong_encoding_declared_is_said(tmp_path):
    path = tmp_path / "ventas.csv"
    path.write_bytes(lines(GOOD).replace(b"canal", "canál".encode("latin-1")))
    (report,) = check_folder(path).files
    assert "declare the encoding in a mapping file" in report.error


def test_text_is_stored_as_delivered(empty_database: Database, tmp_path):
    path = tmp_path / "ventas.csv"
    texts = ['5" tubo', "a,b", "línea\nnueva", "\\N", "\\.", "null"]
    quoted = [GOOD.replace("tienda", '"' + t.replace('"', '""') + '"') for t in texts]
    path.write_bytes(lines(*quoted))
    mapping = FileMapping({"raw_ventas": TableMapping()})
    load_folder(path, dict(empty_database.parameters), Settings(mapping=mapping))
    assert empty_database.query("select canal from staging.raw_ventas order by fila") == [
        (text,) for text in texts
    ]
