"""Find the files of a delivery and read them as batches of rows."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from retail_platform.loading.checks import REJECTED_SCHEMA, ROW
from retail_platform.loading.csv_rows import COMPRESSIONS, CSV_SUFFIXES, Batch, is_csv, open_csv
from retail_platform.loading.errors import LoadError
from retail_platform.loading.mapping import FileMapping, TableMapping
from retail_platform.loading.tables import RAW_TABLES, RawTable

logger = logging.getLogger(__name__)

PARQUET_SUFFIX = ".parquet"
BATCH_ROWS = 250_000


@dataclass(frozen=True)
class SourceFile:
    """A file of a delivery, the table its rows belong to, and how it is written."""

    path: Path
    table: RawTable
    mapping: TableMapping


def find_files(sources: Iterable[Path], mapping: FileMapping | None = None) -> list[SourceFile]:
    """The files to load: catalogues first, then in order of their names.

    A file belongs to the table whose pattern in the mapping it matches, or else to the table whose
    short name its own name or its folder's begins with (``ventas_202401.csv``). In a folder, files
    that belong to no table are passed over with a warning.

    Args:
        sources: Files or folders; folders are searched with their subfolders.
        mapping: Names and formats of a retailer's files.

    Raises:
        LoadError: A source does not exist, a file named outright belongs to no table or is of a
            kind that cannot be read, or there is nothing to load.
    """
    mapping = mapping or FileMapping()
    sources = list(sources)
    found: dict[Path, SourceFile] = {}
    for source in sources:
        if not source.exists():
            raise LoadError(f"{source} does not exist: give a file or a folder of files")
        for path in sorted(_visible(source)) if source.is_dir() else [source]:
            problem = None
            if not path.is_file() or not (path.suffix == PARQUET_SUFFIX or is_csv(path)):
                if source.is_dir():
                    continue
                problem = f"the kind of file is unknown; known are {', '.join(_suffixes())}"
            table = mapping.table_of(path) or _table_named(path)
            if problem is None and table is None:
                subjects = ", ".join(table.subject for table in RAW_TABLES.values())
                problem = (
                    f"the name says no table: file or folder must begin with one of {subjects}, "
                    "or match a pattern of a mapping file"
                )
            if problem is None and table is not None:
                found[path.resolve()] = SourceFile(path, table, mapping.of(table))
            elif source.is_dir():
                logger.warning("%s passed over: %s", path, problem)
            else:
                raise LoadError(f"{path}: {problem}")
    if not found:
        raise LoadError(
            f"nothing to load in {', '.join(map(str, sources))}: no file of a known table and kind "
            f"({', '.join(_suffixes())})"
        )
    order = list(RAW_TABLES.values())
    return sorted(found.values(), key=lambda file: (order.index(file.table), file.path))


def _visible(folder: Path) -> Iterator[Path]:
    """What is in a folder and its subfolders, without hidden files and folders."""
    for path in folder.rglob("*"):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _suffixes() -> list[str]:
    csv = [suffix + packed for suffix in CSV_SUFFIXES for packed in ("", *COMPRESSIONS)]
    return [PARQUET_SUFFIX, *csv]


def _table_named(path: Path) -> RawTable | None:
    """The table that a file's name or its folder's begins with."""
    for name in (path.name, path.parent.name):
        for table in RAW_TABLES.values():
            if name.casefold().startswith(table.subject):
                return table
    return None


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes.

    Raises:
        LoadError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LoadError(f"{path}: cannot be read: {error.strerror}") from error


def read_batches(file: SourceFile) -> Iterator[Batch]:
    """Rows of a file in their order, with the table's columns as delivered.

    Raises:
        LoadError: The file cannot be read, or a column is missing.
    """
    header, batches = _open_parquet(file) if file.path.suffix == PARQUET_SUFFIX else _open(file)
    used = {name.casefold() for name in file.mapping.source_names(file.table)}
    ignored = [name for name in header if name.strip().casefold() not in used]
    if ignored:
        logger.warning("%s: columns left out: %s", file.path, ", ".join(ignored))
    columns = file.mapping.apply(file.table, header, str(file.path))
    for batch in batches:
        yield Batch(batch.rows.select(ROW, *columns), batch.unreadable)


def _open(file: SourceFile) -> tuple[tuple[str, ...], Iterator[Batch]]:
    """Header and batches of a CSV file."""
    source = open_csv(
        file.path,
        file.mapping.source_names(file.table),
        file.mapping.encoding,
        file.mapping.separator,
    )
    return source.header, source.batches()


def _open_parquet(file: SourceFile) -> tuple[tuple[str, ...], Iterator[Batch]]:
    """Header and batches of a Parquet file."""
    frame = pl.scan_parquet(file.path)
    with _reading_parquet(file.path):
        header = tuple(frame.collect_schema().names())
    return header, _parquet_batches(file.path, frame)


def _parquet_batches(path: Path, frame: pl.LazyFrame) -> Iterator[Batch]:
    with _reading_parquet(path):
        total = frame.select(pl.len()).collect().item()
        # In slices, so that memory does not grow with the file.
        for start in range(0, total, BATCH_ROWS):
            rows = frame.slice(start, BATCH_ROWS).collect()
            numbered = rows.with_row_index(ROW, start + 1).cast({ROW: pl.Int64})
            yield Batch(numbered, pl.DataFrame(schema=REJECTED_SCHEMA))


@contextmanager
def _reading_parquet(path: Path) -> Iterator[None]:
    """Name the file in the error of whatever reads it."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        raise LoadError(f"{path}: not a readable Parquet file: {error}") from error
