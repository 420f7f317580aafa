"""Find the files of a delivery and read them as batches of rows."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from retail_platform.loading.checks import ROW
from retail_platform.loading.errors import LoadError
from retail_platform.loading.tables import RAW_TABLES, RawTable

PARQUET_SUFFIX = ".parquet"
BATCH_ROWS = 250_000


@dataclass(frozen=True)
class SourceFile:
    """A file of a delivery and the table its rows belong to."""

    path: Path
    table: RawTable


def table_of(path: Path) -> RawTable | None:
    """The table a file belongs to, by its own name or else by its folder's: ``ventas_202401``."""
    for name in (path.name, path.parent.name):
        for table in RAW_TABLES.values():
            if name.lower().startswith(table.subject):
                return table
    return None


def find_files(sources: Iterable[Path]) -> list[SourceFile]:
    """The files to load: catalogues first, then in order of their names.

    Args:
        sources: Files or folders; folders are searched with their subfolders.

    Raises:
        LoadError: A source does not exist, a file named outright belongs to no table, or there is
            nothing to load.
    """
    found: dict[Path, SourceFile] = {}
    for source in sources:
        if not source.exists():
            raise LoadError(f"{source} does not exist: give a file or a folder of files")
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if source.is_dir() and not (path.is_file() and path.suffix == PARQUET_SUFFIX):
                continue
            # What an interrupted simulation leaves in .partial is no delivery.
            if any(part.startswith(".") for part in path.relative_to(source).parts):
                continue
            table = table_of(path)
            if table is None:
                subjects = ", ".join(table.subject for table in RAW_TABLES.values())
                raise LoadError(
                    f"{path}: the name says no table; file or folder must begin with one of "
                    f"{subjects}"
                )
            found[path] = SourceFile(path, table)
    if not found:
        raise LoadError(f"nothing to load in {', '.join(map(str, sources))}: no Parquet file")
    order = list(RAW_TABLES.values())
    return sorted(found.values(), key=lambda file: (order.index(file.table), file.path))


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_batches(file: SourceFile) -> Iterator[pl.DataFrame]:
    """Rows of a file in their order: the table's columns as delivered, and ``fila`` from 1.

    Raises:
        LoadError: The file cannot be read, or a column is missing.
    """
    frame = pl.scan_parquet(file.path)
    try:
        delivered = frame.collect_schema().names()
        missing = [name for name in file.table.column_names if name not in delivered]
        if missing:
            raise LoadError(
                f"{file.path}: no column {', '.join(missing)}; the file has {', '.join(delivered)}"
            )
        first = 1
        for batch in frame.select(file.table.column_names).collect_batches(chunk_size=BATCH_ROWS):
            yield batch.with_row_index(ROW, first).cast({ROW: pl.Int64})
            first += len(batch)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise LoadError(f"{file.path}: not a readable Parquet file: {error}") from error
