"""Read CSV files of any size as batches of text columns, with the rows that cannot be split.

A file is read in blocks that end where a row ends, so memory does not grow with the file. Polars
splits a block into fields; only a block that it cannot split exactly (a row with a field too many
or too few, a stray quotation mark, bytes that are no text) is split again row by row, so that one
torn row costs itself and not its neighbours.
"""

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import polars as pl

from retail_platform.loading.checks import MAX_ORIGINAL_TEXT, REJECTED_SCHEMA, ROW
from retail_platform.loading.contents import Hashed, opened, private_copy, refuse_other_bytes
from retail_platform.loading.errors import LoadError
from retail_platform.text import printable

CSV_SUFFIXES = (".csv", ".tsv", ".txt")
COMPRESSIONS = (".gz", ".zst")
SEPARATORS = (",", ";", "\t", "|")
BLOCK_BYTES = 8 << 20
MAX_ROW_BYTES = 4 << 20
"""A row longer than this is no row: the file is refused, or the quotation mark taken as stray."""
MAX_ROW_LINES = 100
"""Lines that one row may span by line breaks inside quotation marks."""

MAX_COLUMNS = 2_000
"""A header with more names is none: reading them takes memory that no delivery is worth."""

_ZST_LINES = 100_000


@dataclass(frozen=True)
class Batch:
    """Some rows of a file.

    Attributes:
        rows: ``fila`` (row number in the file, from 1) and the delivered columns.
        unreadable: Rows that could not be split into columns, in the form of quarantine.
    """

    rows: pl.DataFrame
    unreadable: pl.DataFrame


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose header has been read.

    Attributes:
        separator: One character.
        header: Column names, all different.
        blocks: The rest of the file, which is open: header and rows are of the same bytes.
    """

    separator: str
    header: tuple[str, ...]
    blocks: Iterator[tuple[bytes, bool]]

    def batches(self) -> Iterator[Batch]:
        """The rows below the header, in order; can be read once.

        Raises:
            LoadError: The file cannot be read to its end, or holds something that is no row.
        """
        last_row = 0
        for block, regular in self.blocks:
            batch = self._split(block, last_row, regular)
            last_row += len(batch.rows) + len(batch.unreadable)
            yield batch

    def _split(self, block: bytes, last_row: int, regular: bool) -> Batch:
        frame = _split_exactly(block, self.separator, self.header) if regular else None
        if frame is None:
            return _split_row_by_row(block, self.separator, self.header, last_row)
        rows = frame.with_row_index(ROW, last_row + 1).cast({ROW: pl.Int64})
        return Batch(rows, pl.DataFrame(schema=REJECTED_SCHEMA))


def is_csv(path: Path) -> bool:
    """Whether a file's name says that it is a CSV file, compressed or not."""
    name = path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path
    return name.suffix.lower() in CSV_SUFFIXES


def open_csv(
    path: Path,
    expected: Sequence[str],
    encoding: str = "utf-8",
    separator: str | None = None,
    digest: str | None = None,
) -> CsvFile:
    """Open a file and read its header.

    Args:
        path: The file.
        expected: Column names, of which the separator that finds most is taken.
        encoding: Python's name of the file's encoding.
        separator: The separator, if it is known.
        digest: SHA-256 that the bytes must have, if it is known; compared when all are read.

    Raises:
        LoadError: The file is empty or torn, not in this encoding, or a column comes twice.
    """
    blocks = _record_blocks(path, encoding, digest)
    block, regular = next(blocks, (b"", True))
    end = _header_end(block)
    chosen, header = _header(block[:end].strip(b"\n"), expected, encoding, separator)
    return CsvFile(chosen, header, chain([(block[end:], regular)], blocks))


def _header(
    line: bytes, expected: Sequence[str], encoding: str, separator: str | None
) -> tuple[str, tuple[str, ...]]:
    """The separator and the column names of a header."""
    if not line.strip():
        raise LoadError("the file is empty; a header with column names is needed")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise LoadError(
            f"the header is not {encoding} text; declare the encoding in a mapping file, "
            "e.g. encoding: latin-1"
        ) from None
    known = {name.casefold() for name in expected}
    headers = {s: _names(text, s) for s in ([separator] if separator else SEPARATORS)}
    found = {s: sum(name.casefold() in known for name in headers[s]) for s in headers}
    best = max(found, key=lambda s: found[s])
    if not found[best]:
        raise LoadError(
            f"the first line has none of the columns {', '.join(expected)}: a header is needed, "
            f"or a mapping file if the names are others. The line is: {printable(text[:200])}"
        )
    if len(headers[best]) > MAX_COLUMNS:
        raise LoadError(
            f"the header has {len(headers[best]):,} columns; allowed are {MAX_COLUMNS:,}"
        )
    refuse_same_names(headers[best])
    return best, headers[best]


def _names(line: str, separator: str) -> tuple[str, ...]:
    """A header's fields; none if the line cannot be one with this separator."""
    try:
        return tuple(name.strip() for name in next(csv.reader([line], delimiter=separator)))
    except csv.Error:
        return ()


def refuse_same_names(header: Sequence[str]) -> None:
    """Refuse a header in which two columns have one name: letter case makes no difference.

    Raises:
        LoadError: It names them as they are written.
    """
    written: dict[str, list[str]] = {}
    for name in header:
        written.setdefault(name.strip().casefold(), []).append(name.strip())
    twice = [names for names in written.values() if len(names) > 1]
    if twice:
        shown = "; ".join(" and ".join(printable(name) for name in sorted(set(n))) for n in twice)
        raise LoadError(
            f"column {shown[:500]} comes more than once in the header (letter case makes no "
            "difference): rename all but one"
        )


@contextmanager
def _reading() -> Iterator[None]:
    """Say what happened to the file in the error of whatever reads it."""
    try:
        yield
    except (OSError, EOFError, UnicodeError, zlib.error, pl.exceptions.PolarsError) as error:
        raise LoadError(f"cannot be read to its end: {error}") from error


def _bytes(path: Path, digest: str | None) -> Iterator[bytes]:
    """The decompressed bytes of a file, in blocks; their hash is compared at the end."""
    if path.suffix.lower() == ".zst":
        # Python has no zstd before 3.14; polars reads the lines (of UTF-8 text) as a stream.
        with private_copy(path, digest) as copy:
            scanned = pl.scan_lines(copy, glob=False)
            for lines in scanned.collect_batches(chunk_size=_ZST_LINES):
                buffer = BytesIO()
                lines.write_csv(buffer, include_header=False, quote_style="never")
                yield buffer.getvalue()
        return
    with opened(path) as file:
        hashed = Hashed(file)
        packed = path.suffix.lower() == ".gz"
        source = gzip.GzipFile(fileobj=cast(BinaryIO, hashed)) if packed else hashed
        while block := source.read(BLOCK_BYTES):
            yield block
        refuse_other_bytes(hashed.finish(), digest)


def _text_blocks(path: Path, encoding: str, digest: str | None) -> Iterator[bytes]:
    """The file as UTF-8 without byte order mark, every line ending in a line feed."""
    codec = codecs.lookup(encoding).name
    decoder = None if codec in ("utf-8", "utf-8-sig") else codecs.getincrementaldecoder(encoding)
    # Bytes that are no text come out as they went in; the row that has them is refused below.
    decode = decoder("surrogateescape").decode if decoder else None
    carriage_return = b""
    with _reading():
        for number, block in enumerate(_bytes(path, digest)):
            if decode:
                block = decode(block).encode("utf-8", "surrogateescape")
            if number == 0:
                block = block.removeprefix(codecs.BOM_UTF8)
            block = carriage_return + block
            # A line may end in \r\n whose halves come in two blocks.
            carriage_return = b"\r" if block.endswith(b"\r") else b""
            block = block.removesuffix(b"\r")
            if b"\r" in block:
                block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            yield block
        if carriage_return:
            yield b"\n"


def _record_blocks(path: Path, encoding: str, digest: str | None) -> Iterator[tuple[bytes, bool]]:
    """Blocks that end where a row ends; whether quotation marks were in order so far.

    Raises:
        LoadError: There is no line break in more than ``MAX_ROW_BYTES``.
    """
    rest = b""
    for block in _text_blocks(path, encoding, digest):
        rest += block
        end, regular = _last_row_end(rest)
        if end == 0 and len(rest) > BLOCK_BYTES + MAX_ROW_BYTES:
            raise LoadError(
                f"more than {MAX_ROW_BYTES >> 20} MB without a line break: not a CSV file"
            )
        if end:
            yield rest[:end], regular
            rest = rest[end:]
    if rest:
        yield rest, rest.count(b'"') % 2 == 0


def _last_row_end(text: bytes) -> tuple[int, bool]:
    """Where the last complete row ends: after a line break outside quotation marks.

    Outside means that the number of quotation marks before it is even. A stray mark turns inside
    out; so if the last rows seem to lie inside, they are cut at the last line break all the same.

    Returns:
        The position after the line break (0 if there is none), and whether it lies outside.
    """
    last = text.rfind(b"\n") + 1
    if b'"' not in text:
        return last, True
    marks = np.flatnonzero(np.frombuffer(text, np.uint8) == ord('"'))
    end = last
    while end > 0 and last - end <= MAX_ROW_BYTES:
        if np.searchsorted(marks, end) % 2 == 0:
            return end, True
        end = text.rfind(b"\n", 0, end - 1) + 1
    return (last, False) if len(text) > MAX_ROW_BYTES else (0, True)


def _header_end(block: bytes) -> int:
    """Position after the first line that is not blank."""
    start = len(block) - len(block.lstrip(b"\n"))
    end = block.find(b"\n", start)
    return len(block) if end < 0 else end + 1


def _split_exactly(block: bytes, separator: str, header: Sequence[str]) -> pl.DataFrame | None:
    """Split by polars; None unless every line break and separator is accounted for.

    Polars refuses a row with too many fields, but fills one with too few: so the separators in the
    text are counted against those that the fields need.
    """
    if not block:
        return pl.DataFrame(schema=dict.fromkeys(header, pl.String))
    try:
        frame = pl.read_csv(
            block,
            has_header=False,
            separator=separator,
            schema=dict.fromkeys(header, pl.String),
            empty_string_is_null=False,
        )
    except pl.exceptions.PolarsError:
        return None
    text = np.frombuffer(block, np.uint8)
    lines = int(np.count_nonzero(text == ord("\n"))) + (not block.endswith(b"\n"))
    separators = int(np.count_nonzero(text == ord(separator)))
    if b'"' in block:
        lines -= _count_in_fields(frame, "\n")
        separators -= _count_in_fields(frame, separator)
    exact = lines == len(frame) and separators == lines * (len(header) - 1)
    return frame if exact else None


def _count_in_fields(frame: pl.DataFrame, character: str) -> int:
    """How often a character occurs inside the fields."""
    counts = frame.select(pl.all().str.count_matches(character, literal=True).sum())
    return sum(counts.row(0)) if len(frame) else 0


def _split_row_by_row(block: bytes, separator: str, header: Sequence[str], last_row: int) -> Batch:
    """Split with Python's csv module; a row that cannot be split is refused by itself."""
    lines = block.removesuffix(b"\n").split(b"\n")
    rows: list[list[object]] = []
    refused: list[tuple[int, None, str, str]] = []
    position = 0
    while position < len(lines):
        if not lines[position].strip():
            position += 1
            continue
        last_row += 1
        fields, used = _next_row(lines, position, separator, len(header))
        if isinstance(fields, str):
            text = lines[position].decode("utf-8", "backslashreplace").replace("\0", "\\0")
            refused.append((last_row, None, fields, text[:MAX_ORIGINAL_TEXT]))
        else:
            rows.append([last_row, *fields])
        position += used
    schema = {ROW: pl.Int64(), **dict.fromkeys(header, pl.String())}
    return Batch(
        pl.DataFrame(rows, schema=schema, orient="row"),
        pl.DataFrame(refused, schema=REJECTED_SCHEMA, orient="row"),
    )


def _next_row(
    lines: Sequence[bytes], position: int, separator: str, columns: int
) -> tuple[list[str] | str, int]:
    """The fields of the row that begins on a line, or the reason why it has none; lines used."""
    text = ""
    for used in range(1, MAX_ROW_LINES + 1):
        try:
            text += lines[position + used - 1].decode("utf-8")
        except UnicodeDecodeError:
            return "CODIFICACION_INVALIDA", 1
        except IndexError:
            break
        try:
            (fields,) = csv.reader([text], delimiter=separator, strict=True)
        except csv.Error as error:
            if "field limit" in str(error):
                return "TEXTO_DEMASIADO_LARGO", used
            if "end of data" not in str(error):
                break
            # The quotation mark is still open: the row goes on with the next line.
            text += "\n"
            continue
        if len(fields) == columns:
            return fields, used
        # Lines joined in vain: the first of them has a stray quotation mark.
        return ("NUMERO_DE_COLUMNAS", 1) if used == 1 else ("COMILLAS_INVALIDAS", 1)
    return "COMILLAS_INVALIDAS", 1
