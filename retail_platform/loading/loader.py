"""Load files into the raw tables: one transaction per file, several files at a time."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import polars as pl
import psycopg2
from psycopg2.errorcodes import DISK_FULL, PROGRAM_LIMIT_EXCEEDED
from psycopg2.extensions import connection as Connection

from retail_platform.errors import unexpected
from retail_platform.loading import ledger
from retail_platform.loading.checks import ROW, Checked, DateWindow, check
from retail_platform.loading.contents import remove_abandoned, sha256
from retail_platform.loading.errors import LoadError, NoConnectionError, TooManyRejectedError
from retail_platform.loading.files import Found, PassedOver, SourceFile, find_files, read_batches
from retail_platform.loading.mapping import FileMapping
from retail_platform.loading.moves import KeyCache, can_move
from retail_platform.loading.schema import Partitions, partition_name, prepare
from retail_platform.loading.tables import RawTable
from retail_platform.loading.worlds import Deliveries, claim, refuse_other_content
from retail_platform.manifests import FileEntry
from retail_platform.postgres.connection import connect
from retail_platform.text import printable, shown_name, shown_path

_COPY_BUFFER = 1 << 20
_CTRL_C_SECONDS = 0.2
_MAX_MESSAGE = 2_000
MAX_REJECTED_OF_CATALOGUE = 0.5
"""Largest share of refused rows of a catalogue: of few rows one is many, and the others count."""

DATES = DateWindow(date(1900, 1, 1), date(2999, 12, 31))
"""Between these dates a window may be set: beyond them a date is no event but a placeholder."""

T = TypeVar("T")


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
        mapping: Names and formats of a retailer's files.
    """

    window: DateWindow = field(
        default_factory=lambda: DateWindow(date(2015, 1, 1), date.today() + timedelta(days=1))
    )
    max_rejected: float = 0.01
    workers: int = 2
    mapping: FileMapping = field(default_factory=FileMapping)

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        if not 0 <= self.max_rejected <= 1:  # also refuses nan
            raise LoadError(
                f"largest share of rejected rows is {self.max_rejected}: give 0 to 1, e.g. 0.01"
            )
        if self.workers < 1:
            raise LoadError(f"workers is {self.workers}: give 1 or more")
        if self.window.first > self.window.last:
            raise LoadError(
                f"date window is empty: {self.window.first} is after {self.window.last}"
            )
        if self.window.first < DATES.first or self.window.last > DATES.last:
            raise LoadError(
                f"date window is {self.window.first} to {self.window.last}; allowed are dates from "
                f"{DATES.first} to {DATES.last}"
            )

    def allowed_for(self, table: RawTable) -> float:
        """Largest share of refused rows with which a file of the table is still loaded."""
        return max(self.max_rejected, MAX_REJECTED_OF_CATALOGUE * table.is_catalogue)


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
        moved: Replaced rows in months or on days that it does not deliver, by month.
        temporary: Whether it failed for the connection or the server, not for what it holds.
    """

    file: SourceFile
    state: State
    tally: ledger.Tally
    replaced: int = 0
    seconds: float = 0.0
    load_id: int | None = None
    error: str | None = None
    moved: Counter[date] = field(default_factory=Counter)
    temporary: bool = False


@dataclass(frozen=True)
class LoadReport:
    """What became of a delivery.

    Attributes:
        files: One report per file, in the order of loading.
        seconds: Time taken by all.
        passed_over: What else was in the folders, and why it was not loaded.
    """

    files: tuple[FileReport, ...]
    seconds: float
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def failed(self) -> tuple[FileReport, ...]:
        """The files that were not loaded."""
        return tuple(report for report in self.files if report.state is State.FAILED)

    @property
    def reasons(self) -> Counter[str]:
        """Refusals of all files by reason code."""
        return sum((report.tally.reasons for report in self.files), Counter())

    @property
    def rows(self) -> int:
        """Rows delivered by the files that were loaded or checked now."""
        done = (State.LOADED, State.CHECKED)
        return sum(report.tally.delivered for report in self.files if report.state in done)


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
    remove_abandoned()
    sources = [source] if isinstance(source, Path) else list(source)
    found = find_files(sources, settings.mapping)
    files = found.files
    deliveries = Deliveries(file.path for file in files)
    stopped = threading.Event()
    order = _Order(files)

    with (
        closing(_connect(connection_parameters)) as steward,
        ThreadPoolExecutor(settings.workers) as pool,
    ):
        contents = _receive(steward, pool, sources, found, deliveries)
        partitions, cache = Partitions(steward), KeyCache()

        def load(number: int) -> FileReport:
            file, content = files[number], contents[number]
            with order.turn_of(number) as await_turn:
                if isinstance(content, LoadError):
                    report = _refused(file, content)
                else:
                    if content in contents[:number]:
                        # Of equal files one is loaded: two at once would wait for each other.
                        await_turn()
                    with closing(_connect(connection_parameters)) as connection:
                        report = _load_file(
                            content, connection, partitions, cache, settings, stopped, await_turn
                        )
            on_file(report)
            return report

        futures = [pool.submit(load, number) for number in range(len(files))]
        try:
            # Polars' signal handler lets a waiting call go on, so Ctrl-C shows between two waits.
            while wait(futures, timeout=_CTRL_C_SECONDS).not_done:
                pass
        except BaseException:
            # The files in hand are rolled back at their next batch, not loaded to the end.
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    reports = tuple(future.result() for future in futures)
    return LoadReport(reports, _seconds_since(started), found.passed_over)


@dataclass(frozen=True)
class _Content:
    """The bytes of a file before it is loaded; two are equal if they would be one load.

    Attributes:
        table: Where its rows belong.
        sha256: Hexadecimal digest.
        size: Bytes.
        file: The file.
        entry: What its world's manifest says of it, if it has one.
    """

    table: str
    sha256: str
    size: int
    file: SourceFile = field(compare=False)
    entry: FileEntry | None = field(compare=False)


def _content(deliveries: Deliveries, file: SourceFile) -> _Content | LoadError:
    """A file's bytes, or why they cannot be read: that file is refused, the others are loaded."""
    try:
        return _Content(file.table.name, *sha256(file.path), file, deliveries.entry(file.path))
    except LoadError as error:
        return error


def _hashes(contents: Iterable[_Content | LoadError]) -> dict[Path, str]:
    """The digests of those files that can be read."""
    return {c.file.path: c.sha256 for c in contents if isinstance(c, _Content)}


def _receive(
    steward: Connection,
    pool: Executor,
    sources: Sequence[Path],
    found: Found,
    deliveries: Deliveries,
) -> list[_Content | LoadError]:
    """Make the target ready, and judge what is delivered as a whole.

    Returns:
        What each of the files found is, or why it cannot be read.

    Raises:
        LoadError: The target cannot be used, or the files are not those of their world.
    """
    prepare(steward)
    ledger.note_passed_over(
        steward,
        [shown_path(source.absolute()) for source in sources],
        [(shown_path(other.path.absolute()), other.reason) for other in found.passed_over],
    )
    contents = list(pool.map(partial(_content, deliveries), found.files))
    known = ledger.loaded_hashes(steward).__contains__
    deliveries.refuse_differences(_hashes(contents), sources, known)
    for delivered in deliveries.worlds:
        claim(steward, delivered)
    return contents


def _refused(
    file: SourceFile,
    error: BaseException,
    tally: ledger.Tally | None = None,
    seconds: float = 0.0,
) -> FileReport:
    """The report of a file that was not loaded."""
    return FileReport(
        file,
        State.FAILED,
        tally or ledger.Tally(),
        seconds=seconds,
        error=_explained(error),
        temporary=_may_pass(error),
    )


def _may_pass(error: BaseException) -> bool:
    """Whether the same again may work with nothing done: not for a full disk or a fixed limit."""
    if getattr(error, "pgcode", None) in (DISK_FULL, PROGRAM_LIMIT_EXCEEDED):
        return False
    lost = (NoConnectionError, psycopg2.OperationalError, psycopg2.InterfaceError)
    return isinstance(error, lost)


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
    remove_abandoned()
    sources = [source] if isinstance(source, Path) else list(source)
    found = find_files(sources, settings.mapping)
    deliveries = Deliveries(file.path for file in found.files)
    if deliveries.worlds:
        contents = (_content(deliveries, file) for file in found.files)
        deliveries.refuse_differences(_hashes(contents), sources)
    reports = []
    for file in found.files:
        begun, tally = datetime.now(UTC), ledger.Tally()
        try:
            for checked in _checked_batches(file, settings):
                _count(tally, checked, file.table)
            _refuse_above_threshold(tally, settings.allowed_for(file.table))
            refuse_other_content(tally, deliveries.entry(file.path))
            report = FileReport(file, State.CHECKED, tally, seconds=_seconds_since(begun))
        except Exception as error:
            report = _refused(file, error, tally)
        reports.append(report)
        on_file(report)
    return LoadReport(tuple(reports), _seconds_since(started), found.passed_over)


def _connect(parameters: dict[str, str]) -> Connection:
    try:
        return connect(parameters)
    except psycopg2.OperationalError as error:
        raise NoConnectionError(f"no connection to the target: {str(error).strip()}") from error


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()


class _Order:
    """Lets the files of a table take effect in their order, though several are loaded at a time.

    A correction that sorts behind what it corrects must win, whichever is read faster. A file waits
    for the one before it only, which was started before: so nobody waits in a circle.
    """

    def __init__(self, files: Sequence[SourceFile]) -> None:
        """Note for each file the one of the same table before it."""
        self._done = [threading.Event() for _ in files]
        self._before: list[threading.Event | None] = []
        latest: dict[str, threading.Event] = {}
        for file, done in zip(files, self._done, strict=True):
            self._before.append(latest.get(file.table.name))
            latest[file.table.name] = done

    @contextmanager
    def turn_of(self, number: int) -> Iterator[Callable[[], None]]:
        """Give a function that waits for the file's turn; leaving lets the next file on."""
        before = self._before[number]

        def await_turn() -> None:
            if before:
                before.wait()

        try:
            yield await_turn
        finally:
            await_turn()
            self._done[number].set()


def _load_file(
    content: _Content,
    connection: Connection,
    partitions: Partitions,
    cache: KeyCache,
    settings: Settings,
    stopped: threading.Event,
    await_turn: Callable[[], None],
) -> FileReport:
    """Load one file in one transaction, which ``stopped`` rolls back."""
    started, tally, file = datetime.now(UTC), ledger.Tally(), content.file
    name = shown_name(file.path.name)
    delivery = ledger.Delivery(file.table, name, content.sha256, content.size, started)
    try:
        with connection:
            earlier = ledger.complete_load(connection, delivery)
            if earlier is not None:
                return FileReport(file, State.ALREADY_LOADED, tally, load_id=earlier)
            if file.table.partition_column is None:
                await_turn()  # before ``begin``, which takes the table's lock
            load_id = ledger.begin(connection, delivery)
            batches = (
                (checked, _payloads(checked, delivery, load_id))
                for checked in _checked_batches(file, settings, content.sha256)
            )
            for checked, payloads in _prefetched(batches):
                if stopped.is_set():
                    raise LoadError("interrupted")
                _count(tally, checked, file.table)
                for payload in payloads:
                    _send(connection, partitions, file.table, payload)
            _refuse_above_threshold(tally, settings.allowed_for(file.table))
            refuse_other_content(tally, content.entry)
            await_turn()
            if stopped.is_set():
                raise LoadError("interrupted")
            outcome = ledger.finish(connection, delivery, load_id, tally, cache)
    except Exception as error:
        report = _refused(file, error, tally, _seconds_since(started))
        if not connection.closed:
            # A server that is out of storage cannot take the ledger's row either.
            with suppress(psycopg2.Error):
                ledger.record_failure(connection, delivery, tally, str(report.error))
        return report
    seconds = _seconds_since(started)
    report = FileReport(file, State.LOADED, tally, outcome.replaced, seconds, load_id)
    return replace(report, moved=outcome.moved)


def _explained(error: BaseException) -> str:
    """What to tell about a file that was not loaded; safe to show and to store."""
    if isinstance(error, psycopg2.InterfaceError):
        # Leaving the transaction of a lost connection raises this over the cause.
        lost = LoadError("the connection was lost with an earlier file: load again")
        error = error.__context__ if isinstance(error.__context__, Exception) else lost
    known = isinstance(error, (LoadError, psycopg2.Error))
    message = str(error).strip() if known else unexpected(error)
    return printable(message, keep="\n")[:_MAX_MESSAGE]


def _checked_batches(
    file: SourceFile, settings: Settings, digest: str | None = None
) -> Iterator[Checked]:
    for batch in read_batches(file, digest):
        try:
            checked = check(batch.rows, file.table, settings.window, file.mapping.formats)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            # Only a Parquet file can do this, with a column of lists or structures.
            raise LoadError(f"a column is of an unusable type: {error}") from error
        yield Checked(
            checked.accepted,
            pl.concat([batch.unreadable, checked.rejected]),
            checked.delivered + len(batch.unreadable),
        )


def _prefetched(batches: Iterator[T]) -> Iterator[T]:
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
    for row, column, reason, text in checked.rejected.iter_rows():
        tally.reasons[reason] += 1
        tally.examples.setdefault(reason, (row, column, text))
    if table.partition_column is None or checked.accepted.is_empty():
        return
    day = pl.col(table.partition_column)
    key = pl.col(table.key[0])
    months = checked.accepted.group_by(day.dt.truncate("1mo").alias("mes")).agg(
        pl.len(), key.min().alias("low"), key.max().alias("high")
    )
    for month, rows, low, high in months.iter_rows():
        tally.months[month] += rows
        if can_move(table):
            known = tally.ranges.get(month, (low, high))
            tally.ranges[month] = (min(low, known[0]), max(high, known[1]))
    first, last = checked.accepted.select(day.min().alias("first"), day.max().alias("last")).row(0)
    tally.first = min(tally.first or first, first)
    tally.last = max(tally.last or last, last)


def _refuse_above_threshold(tally: ledger.Tally, max_rejected: float) -> None:
    if tally.rejected > max_rejected * tally.delivered:
        reasons = ", ".join(f"{reason} {rows:,}" for reason, rows in tally.reasons.most_common())
        raise TooManyRejectedError(
            f"{tally.rejected:,} of {tally.delivered:,} rows rejected "
            f"({tally.rejected / tally.delivered:.1%}), allowed are {max_rejected:.1%}: {reasons}. "
            "Correct the file, or its mapping, or raise --max-rejected"
        )


@dataclass(frozen=True)
class _Payload:
    """Rows as the text of one COPY.

    Attributes:
        relation: Table or partition of the rows.
        columns: Their columns.
        month: First day of the month of a partition, else None.
        text: CSV.
    """

    relation: str
    columns: tuple[str, ...]
    month: date | None
    text: BytesIO


def _payloads(checked: Checked, delivery: ledger.Delivery, load_id: int) -> list[_Payload]:
    """What a batch sends; rows of a partitioned table go straight into their month's partition."""
    table = delivery.table
    rows = checked.accepted.select(*table.column_names, pl.lit(load_id).alias("carga_id"), ROW)
    payloads = []
    if table.partition_column is None:
        payloads.append(_payload(f"staging.{table.name}", rows))
    else:
        months = rows[table.partition_column].dt.truncate("1mo")
        payloads += [
            _payload(f"staging.{partition_name(table, month)}", rows.filter(months == month), month)
            for month in months.unique()
        ]
    rejected = checked.rejected.select(
        pl.lit(load_id).alias("carga_id"),
        pl.lit(table.name).alias("tabla"),
        pl.lit(delivery.name).alias("archivo"),
        *checked.rejected.columns,
        pl.lit(delivery.started.isoformat()).alias("rechazada_en"),
    )
    payloads.append(_payload("cuarentena.filas_archivo", rejected))
    return [payload for payload in payloads if payload.text.getbuffer().nbytes]


def _payload(relation: str, rows: pl.DataFrame, month: date | None = None) -> _Payload:
    """Rows as CSV: for polars and PostgreSQL an empty field is null and ``""`` an empty text."""
    text = BytesIO()
    rows.write_csv(text, include_header=False, time_format="%H:%M:%S")
    text.seek(0)
    return _Payload(relation, tuple(rows.columns), month, text)


def _send(
    connection: Connection, partitions: Partitions, table: RawTable, payload: _Payload
) -> None:
    if payload.month:
        partitions.ensure(table, payload.month)
    statement = f"copy {payload.relation} ({', '.join(payload.columns)}) from stdin (format csv)"
    with connection.cursor() as cursor:
        cursor.copy_expert(statement, payload.text, _COPY_BUFFER)
