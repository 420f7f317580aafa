"""Load files into the raw tables: one transaction per file, several files at a time."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from io import BytesIO
from pathlib import Path

import polars as pl
import psycopg2
from psycopg2.extensions import connection as Connection

from retail_platform.loading import ledger
from retail_platform.loading.checks import ROW, Checked, DateWindow, TextFormats, check
from retail_platform.loading.errors import LoadError, TooManyRejectedError
from retail_platform.loading.files import SourceFile, find_files, read_batches, sha256
from retail_platform.loading.schema import Partitions, partition_name, prepare
from retail_platform.loading.tables import RawTable
from retail_platform.targets import connect

logger = logging.getLogger(__name__)

_COPY_BUFFER = 1 << 20


class State(StrEnum):
    """What became of a file."""

    LOADED = "loaded"
    ALREADY_LOADED = "already loaded"
    CHECKED = "checked"
    FAILED = "failed"


@dataclass(frozen=True)
class Settings:
    """How to load.

    Attributes:
        window: Accepted dates of sales, returns and inventory.
        max_rejected: Largest share (0-1) of refused rows with which a file is still loaded.
        workers: Files loaded at the same time, each on a connection of its own.
        formats: How text values are written.
    """

    window: DateWindow = field(
        default_factory=lambda: DateWindow(date(2015, 1, 1), date.today() + timedelta(days=1))
    )
    max_rejected: float = 0.01
    workers: int = 2
    formats: TextFormats = TextFormats()

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        if not 0 <= self.max_rejected <= 1:
            raise LoadError(
                f"largest share of rejected rows is {self.max_rejected}: give 0 to 1, e.g. 0.01"
            )
        if self.workers < 1:
            raise LoadError(f"workers is {self.workers}: give 1 or more")
        if self.window.first > self.window.last:
            raise LoadError(
                f"date window is empty: {self.window.first} is after {self.window.last}"
            )


@dataclass(frozen=True)
class FileReport:
    """What became of one file.

    Attributes:
        file: The file and its table.
        state: Its fate.
        tally: Rows delivered, accepted and rejected, with reasons.
        replaced: Rows of earlier loads that it replaced.
        seconds: Time taken.
        load_id: ``carga_id`` of the load that holds the rows.
        error: Why it failed.
    """

    file: SourceFile
    state: State
    tally: ledger.Tally
    replaced: int = 0
    seconds: float = 0.0
    load_id: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class LoadReport:
    """What became of a delivery.

    Attributes:
        files: One report per file, in the order of loading.
        seconds: Time taken by all.
    """

    files: tuple[FileReport, ...]
    seconds: float

    @property
    def failed(self) -> tuple[FileReport, ...]:
        """The files that were not loaded."""
        return tuple(report for report in self.files if report.state is State.FAILED)

    @property
    def rows(self) -> int:
        """Rows delivered by the files that were loaded now."""
        return sum(r.tally.delivered for r in self.files if r.state is State.LOADED)


def load_folder(
    source: Path | Sequence[Path],
    connection_parameters: dict[str, str],
    settings: Settings | None = None,
    on_file: Callable[[FileReport], None] = lambda report: None,
) -> LoadReport:
    """Load a folder (or files, or several of both) into schema ``staging``.

    Each file is one transaction: readers and dbt see all of its accepted rows, quarantined rows,
    ledger row and month versions, or none. A file whose bytes were loaded before is left out.

    Args:
        source: Files or folders.
        connection_parameters: libpq parameters of the target.
        settings: How to load; the defaults of ``Settings`` if left out.
        on_file: Called after each file, from the thread that loaded it.

    Returns:
        The fate of every file; a failed file does not stop the others.

    Raises:
        LoadError: Nothing to load, or the target cannot be used.
    """
    settings = settings or Settings()
    started = datetime.now(UTC)
    files = find_files([source] if isinstance(source, Path) else source)
    with closing(_connect(connection_parameters)) as connection:
        prepare(connection)

    def load(file: SourceFile) -> FileReport:
        with (
            closing(_connect(connection_parameters)) as connection,
            closing(_connect(connection_parameters)) as partitions_connection,
        ):
            report = _load_file(file, connection, Partitions(partitions_connection), settings)
        on_file(report)
        return report

    with ThreadPoolExecutor(settings.workers) as pool:
        reports = tuple(pool.map(load, files))
    return LoadReport(reports, _seconds_since(started))


def check_folder(
    source: Path | Sequence[Path],
    settings: Settings | None = None,
    on_file: Callable[[FileReport], None] = lambda report: None,
) -> LoadReport:
    """Judge files without a database: the same rules, nothing loaded.

    Args, returned value and errors are those of ``load_folder``.
    """
    settings = settings or Settings()
    started = datetime.now(UTC)
    reports = []
    for file in find_files([source] if isinstance(source, Path) else source):
        begun, tally = datetime.now(UTC), ledger.Tally()
        try:
            for checked in _checked_batches(file, settings):
                _count(tally, checked, file.table)
            _refuse_above_threshold(file, tally, settings.max_rejected)
            report = FileReport(file, State.CHECKED, tally, seconds=_seconds_since(begun))
        except LoadError as error:
            report = FileReport(file, State.FAILED, tally, error=str(error))
        reports.append(report)
        on_file(report)
    return LoadReport(tuple(reports), _seconds_since(started))


def _connect(parameters: dict[str, str]) -> Connection:
    try:
        return connect(parameters)
    except psycopg2.OperationalError as error:
        raise LoadError(f"no connection to the target: {str(error).strip()}") from error


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()


def _load_file(
    file: SourceFile, connection: Connection, partitions: Partitions, settings: Settings
) -> FileReport:
    """Load one file in one transaction."""
    started, tally = datetime.now(UTC), ledger.Tally()
    delivery = ledger.Delivery(
        file.table, file.path.name, sha256(file.path), file.path.stat().st_size, started
    )
    try:
        with connection:
            earlier = ledger.complete_load(connection, delivery)
            if earlier is not None:
                logger.info("%s: already loaded as load %s", file.path, earlier)
                return FileReport(file, State.ALREADY_LOADED, tally, load_id=earlier)
            load_id = ledger.begin(connection, delivery)
            for checked in _prefetched(_checked_batches(file, settings)):
                _count(tally, checked, file.table)
                _copy_accepted(connection, partitions, file.table, checked.accepted, load_id)
                _copy_rejected(connection, delivery, checked.rejected, load_id)
            _refuse_above_threshold(file, tally, settings.max_rejected)
            replaced = ledger.finish(connection, delivery, load_id, tally)
    except (LoadError, psycopg2.Error) as error:
        message = str(error).strip()
        logger.error("%s: %s", file.path, message)
        if not connection.closed:
            ledger.record_failure(connection, delivery, tally, message)
        return FileReport(file, State.FAILED, tally, seconds=_seconds_since(started), error=message)
    seconds = _seconds_since(started)
    return FileReport(file, State.LOADED, tally, replaced, seconds, load_id)


def _checked_batches(file: SourceFile, settings: Settings) -> Iterator[Checked]:
    for batch in read_batches(file):
        yield check(batch, file.table, settings.window, settings.formats)


def _prefetched(batches: Iterator[Checked]) -> Iterator[Checked]:
    """Make the next batch in a thread while the server takes the present one."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = pool.submit(next, batches, None)
            yield batch


def _count(tally: ledger.Tally, checked: Checked, table: RawTable) -> None:
    """Add a batch to the tally."""
    tally.delivered += checked.delivered
    tally.rejected += checked.delivered - len(checked.accepted)
    tally.reasons.update(dict(checked.rejected["motivo"].value_counts().iter_rows()))
    if table.partition_column is None or checked.accepted.is_empty():
        return
    day = pl.col(table.partition_column)
    months = checked.accepted.group_by(day.dt.truncate("1mo").alias("mes")).len()
    tally.months.update(dict(months.iter_rows()))
    first, last = checked.accepted.select(day.min().alias("first"), day.max().alias("last")).row(0)
    tally.first = min(tally.first or first, first)
    tally.last = max(tally.last or last, last)


def _refuse_above_threshold(file: SourceFile, tally: ledger.Tally, max_rejected: float) -> None:
    if tally.rejected > max_rejected * tally.delivered:
        reasons = ", ".join(f"{reason} {rows:,}" for reason, rows in tally.reasons.most_common())
        raise TooManyRejectedError(
            f"{tally.rejected:,} of {tally.delivered:,} rows rejected "
            f"({tally.rejected / tally.delivered:.1%}), allowed are {max_rejected:.1%}: {reasons}. "
            "Correct the file, or its mapping, or raise --max-rejected"
        )


def _copy_accepted(
    connection: Connection,
    partitions: Partitions,
    table: RawTable,
    rows: pl.DataFrame,
    load_id: int,
) -> None:
    """COPY accepted rows, those of a partitioned table straight into their month's partition."""
    if rows.is_empty():
        return
    rows = rows.select(*table.column_names, pl.lit(load_id).alias("carga_id"), ROW)
    if table.partition_column is None:
        _copy(connection, f"staging.{table.name}", rows)
        return
    month = pl.col(table.partition_column).dt.truncate("1mo").alias("mes")
    for (first_day,), part in (
        rows.with_columns(month).partition_by("mes", as_dict=True, include_key=False).items()
    ):
        partitions.ensure(table, first_day)
        _copy(connection, f"staging.{partition_name(table, first_day)}", part)


def _copy_rejected(
    connection: Connection, delivery: ledger.Delivery, rows: pl.DataFrame, load_id: int
) -> None:
    """COPY the reasons of refused rows into quarantine."""
    if rows.is_empty():
        return
    _copy(
        connection,
        "cuarentena.filas_archivo",
        rows.select(
            pl.lit(load_id).alias("carga_id"),
            pl.lit(delivery.table.name).alias("tabla"),
            pl.lit(delivery.name).alias("archivo"),
            *rows.columns,
            pl.lit(delivery.started.isoformat()).alias("rechazada_en"),
        ),
    )


def _copy(connection: Connection, relation: str, rows: pl.DataFrame) -> None:
    """COPY rows as CSV; an empty field is null and ``""`` an empty text, for both sides."""
    buffer = BytesIO()
    rows.write_csv(buffer, include_header=False, time_format="%H:%M:%S")
    buffer.seek(0)
    statement = f"copy {relation} ({', '.join(rows.columns)}) from stdin (format csv)"
    with connection.cursor() as cursor:
        cursor.copy_expert(statement, buffer, _COPY_BUFFER)
