"""Find the files of a delivery and read them as batches of rows."""

import logging
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from retail_platform.loading.checks import REJECTED_SCHEMA, ROW
from retail_platform.loading.contents import private_copy
from retail_platform.loading.csv_rows import (
    COMPRESSIONS,
    CSV_SUFFIXES,
    Batch,
    is_csv,
    open_csv,
    refuse_same_names,
)
from retail_platform.loading.errors import LoadError
from retail_platform.loading.mapping import FileMapping, TableMapping
from retail_platform.loading.tables import RAW_TABLES, RawTable
from retail_platform.loading.types import refuse_unclear_types
from retail_platform.text import printable, shown_path

logger = logging.getLogger(__name__)

PARQUET_SUFFIX = ".parquet"
COMPANIONS = frozenset({"manifest.json", "state.npz"})
"""What the simulator writes beside its files; no delivery, so passed over without a word."""
BATCH_ROWS = 250_000
_MAX_NAMED = 20


@dataclass(frozen=True)
class SourceFile:
    """A file of a delivery, the table its rows belong to, and how it is written."""

    path: Path
    table: RawTable
    mapping: TableMapping


@dataclass(frozen=True)
class PassedOver:
    """Something in a folder that is not loaded, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Found:
    """What is in the sources of a delivery.

    Attributes:
        files: To be loaded: catalogues first, then in order of their names.
        passed_over: Everything else but hidden names.
    """

    files: tuple[SourceFile, ...]
    passed_over: tuple[PassedOver, ...] = ()


def find_files(sources: Iterable[Path], mapping: FileMapping | None = None) -> Found:
    """The files to load, and what is passed over.

    A file belongs to the table whose pattern in the mapping it matches, or else to the table whose
    short name its own name or its folder's begins with (``ventas_202401.csv``). In a folder, what
    belongs to no table or cannot be read is passed over, and named.

    Args:
        sources: Files or folders; folders are searched with their subfolders.
        mapping: Names and formats of a retailer's files.

    Raises:
        LoadError: A source does not exist, a file named outright cannot be loaded, or there is
            nothing to load.
    """
    mapping = mapping or FileMapping()
    sources = list(sources)
    found: dict[str, SourceFile] = {}
    passed_over: list[PassedOver] = []
    for source in sources:
        is_folder = _is_folder(source)
        for path, problem in _entries(source) if is_folder else [(source, _kind_problem(source))]:
            table = mapping.table_of(path) or _table_named(path)
            if problem is None and table is None:
                subjects = ", ".join(table.subject for table in RAW_TABLES.values())
                problem = (
                    f"the name says no table: file or folder must begin with one of {subjects}, "
                    "or match a pattern of a mapping file"
                )
            if problem is None and table is not None:
                found[os.path.realpath(path)] = SourceFile(path, table, mapping.of(table))
            elif is_folder:
                passed_over.append(PassedOver(path, str(problem)))
            else:
                raise LoadError(f"{shown_path(path)}: {problem}")
    if not found:
        raise LoadError(_nothing(sources, passed_over))
    order = list(RAW_TABLES.values())
    files = sorted(
        found.values(), key=lambda file: (order.index(file.table), os.fsencode(file.path))
    )
    return Found(tuple(files), tuple(passed_over))


def _nothing(sources: Iterable[Path], passed_over: list[PassedOver]) -> str:
    """Why there is nothing to load."""
    lines = [
        f"nothing to load in {', '.join(map(shown_path, sources))}: no file of a known table and "
        f"kind ({', '.join(_suffixes())})"
    ]
    lines += [f"passed over {shown_path(p.path)}: {p.reason}" for p in passed_over[:_MAX_NAMED]]
    if len(passed_over) > _MAX_NAMED:
        lines.append(f"and {len(passed_over) - _MAX_NAMED:,} more")
    return "\n".join(lines)


def _is_folder(source: Path) -> bool:
    """Whether a source is a folder.

    Raises:
        LoadError: It does not exist or cannot be looked at.
    """
    try:
        return stat.S_ISDIR(source.stat().st_mode)
    except FileNotFoundError:
        raise LoadError(
            f"{shown_path(source)} does not exist: give a file or a folder of files"
        ) from None
    except OSError as error:
        raise LoadError(f"{shown_path(source)} cannot be read: {error.strerror}") from error


def _entries(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """What is in a folder and its subfolders, with the reason why it cannot be loaded.

    Hidden files and folders are no part of a delivery: writers hide what is not complete.
    """
    unreadable: list[tuple[Path, str]] = []

    def note(error: OSError) -> None:
        unreadable.append((Path(error.filename), f"the folder cannot be read: {error.strerror}"))

    for name, folders, files in os.walk(folder, onerror=note):
        folders[:] = sorted(child for child in folders if not child.startswith("."))
        parent = Path(name)
        for child in folders:
            if (parent / child).is_symlink():
                yield parent / child, "it is a link to a folder: name that folder outright"
        for child in sorted(child for child in files if not child.startswith(".")):
            if child not in COMPANIONS:
                yield parent / child, _kind_problem(parent / child)
        if not files and not folders and parent != folder:
            yield parent, "the folder is empty"
    yield from unreadable


def _kind_problem(path: Path) -> str | None:
    """Why a file's kind cannot be loaded; None if it can."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "it is a link to a file that does not exist"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
        return f"it is {kinds.get(stat.S_IFMT(mode), 'a device')} and no file"
    if is_parquet(path) or is_csv(path):
        return None
    return f"the kind of file is unknown; known are {', '.join(_suffixes())}"


def is_parquet(path: Path) -> bool:
    """Whether a file's name says that it is a Parquet file."""
    return path.suffix.lower() == PARQUET_SUFFIX


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


def read_batches(file: SourceFile, digest: str | None = None) -> Iterator[Batch]:
    """Rows of a file in their order, with the table's columns as delivered.

    Args:
        file: The file.
        digest: SHA-256 that its bytes must have, if it is known.

    Raises:
        LoadError: The file cannot be read or has other bytes, or a column is missing.
    """
    if not is_parquet(file.path):
        source = open_csv(
            file.path,
            file.mapping.source_names(file.table),
            file.mapping.encoding,
            file.mapping.separator,
            digest,
        )
        columns = _columns(file, source.header)
        for batch in source.batches():
            yield Batch(batch.rows.select(ROW, *columns), batch.unreadable)
        return
    with private_copy(file.path, digest) as copy, _reading_parquet():
        frame = pl.scan_parquet(copy, glob=False)
        schema = frame.collect_schema()
        refuse_same_names(schema.names())
        columns = _columns(file, tuple(schema.names()))
        refuse_unclear_types(file.table, file.mapping, schema)
        total = frame.select(pl.len()).collect().item()
        # In slices, so that memory does not grow with the file.
        for start in range(0, total, BATCH_ROWS):
            rows = frame.slice(start, BATCH_ROWS).collect()
            numbered = rows.with_row_index(ROW, start + 1).cast({ROW: pl.Int64})
            yield Batch(numbered.select(ROW, *columns), pl.DataFrame(schema=REJECTED_SCHEMA))


def _columns(file: SourceFile, header: tuple[str, ...]) -> list[pl.Expr]:
    """Expressions that make the table's columns from the file's; what is left out is said."""
    used = {name.casefold() for name in file.mapping.source_names(file.table)}
    ignored = [printable(name) for name in header if name.strip().casefold() not in used]
    if ignored:
        more = f" and {len(ignored) - _MAX_NAMED:,} more" if len(ignored) > _MAX_NAMED else ""
        logger.warning(
            "%s: columns left out: %s%s",
            shown_path(file.path),
            ", ".join(ignored[:_MAX_NAMED]),
            more,
        )
    return file.mapping.apply(file.table, header)


@contextmanager
def _reading_parquet() -> Iterator[None]:
    """Say of what kind the trouble is in the error of whatever reads the file."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise LoadError(f"not a readable Parquet file: {error}") from error
