"""How fast the gate is against a plain COPY of the same bytes, and the memory it takes.

The same bytes are sent by a plain COPY into a table without partitions, then go through the gate
(SHA-256, parsing, every check, COPY by month, ledger); both in a scratch database, in turn.
"""

import resource
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

from retail_platform.bench.scratch import scratch_database
from retail_platform.loading.checks import DateWindow, TextFormats, check
from retail_platform.loading.files import find_files, read_batches
from retail_platform.loading.loader import Settings, load_folder
from retail_platform.loading.tables import SALES
from retail_platform.postgres.connection import connect

_DAYS = 28
_BLOCK_ROWS = 100_000


@dataclass(frozen=True)
class Measurement:
    """Medians of several runs.

    Attributes:
        rows: Sale lines in the file.
        size: Bytes of the file.
        copy_seconds: A plain COPY of the file into a table without partitions.
        gate_seconds: ``load_folder`` of the file into an empty database.
        check_seconds: Typing and checking the parsed rows alone, nothing sent.
        peak_bytes: Largest memory of this process.
    """

    rows: int
    size: int
    copy_seconds: float
    gate_seconds: float
    check_seconds: float
    peak_bytes: int

    def __str__(self) -> str:
        """The rates and ratios, a line each."""
        return (
            f"{self.rows:,} sale lines, {self.size / 1e6:,.0f} MB of CSV\n"
            f"plain COPY  {self.rows / self.copy_seconds:>12,.0f} rows/s\n"
            f"load gate   {self.rows / self.gate_seconds:>12,.0f} rows/s\n"
            f"gate / COPY {self.gate_seconds / self.copy_seconds:>12.2f} of the time\n"
            f"checks      {self.check_seconds / self.copy_seconds:>12.2f} of the COPY's time\n"
            f"peak memory {self.peak_bytes / 1e6:>12,.0f} MB"
        )


def write_sales(path: Path, rows: int, seed: int = 0) -> None:
    """Write a CSV file of plausible sale lines of one month, five lines a ticket.

    Args:
        path: The file.
        rows: Sale lines.
        seed: Of the random values.
    """
    generator = np.random.default_rng(seed)
    with path.open("wb") as file:
        for start in range(0, rows, _BLOCK_ROWS):
            number = np.arange(start, min(start + _BLOCK_ROWS, rows))
            size = len(number)
            day = np.datetime64("2024-01-01") + number * _DAYS // rows
            cents = {
                name: pl.Series(generator.integers(500, 50_000, size)) / 100
                for name in ("precio_unitario", "costo_unitario")
            }
            frame = pl.DataFrame(
                {
                    "ticket_id": number // 5 + 1,
                    "linea": number % 5 + 1,
                    "fecha_venta": pl.Series(day).cast(pl.Date),
                    "hora": pl.Series(generator.integers(0, 86_400, size) * 10**9).cast(pl.Time),
                    "tienda_id": generator.integers(1, 326, size),
                    "producto_id": generator.integers(1, 126, size),
                    "canal": generator.choice(["tienda", "online", "app"], size),
                    "unidades": generator.integers(1, 5, size),
                    "precio_unitario": cents["precio_unitario"],
                    "descuento_pct": generator.integers(0, 3, size) * 5,
                    "costo_unitario": cents["costo_unitario"],
                }
            )
            frame.write_csv(
                file, include_header=start == 0, time_format="%H:%M:%S", float_precision=2
            )


def measure(
    connection_parameters: Mapping[str, str], folder: Path, rows: int, repeat: int
) -> Measurement:
    """Measure plain COPY, gate and checks on one file.

    Args:
        connection_parameters: libpq parameters of a server on which a database may be created.
        folder: Where the file is written.
        rows: Sale lines in the file.
        repeat: Runs of each.
    """
    path = folder / "ventas_benchmark.csv"
    write_sales(path, rows)
    gate, copy, checks = [], [], []
    for _ in range(repeat):
        # In turn, so that a busy machine slows all of them down alike.
        with scratch_database(connection_parameters) as parameters:
            copy.append(_seconds(partial(_plain_copy, parameters, path)))
        with scratch_database(connection_parameters) as parameters:
            gate.append(_seconds(partial(load_folder, path, parameters)))
        checks.append(_check_seconds(path))
    size = path.stat().st_size
    return Measurement(rows, size, median(copy), median(gate), median(checks), peak_memory())


def peak_memory() -> int:
    """Largest resident memory of this process so far, in bytes.

    Linux carries ``ru_maxrss`` over from the process that started this one, hence /proc.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts bytes


def _seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _check_seconds(path: Path) -> float:
    window = DateWindow(date(2015, 1, 1), date(2100, 1, 1))
    (file,) = find_files([path], Settings().mapping).files
    return sum(
        _seconds(partial(check, batch.rows, SALES, window, TextFormats()))
        for batch in read_batches(file)
    )


def _plain_copy(parameters: Mapping[str, str], path: Path) -> None:
    columns = ", ".join(f"{column.name} {column.sql_type}" for column in SALES.columns)
    with closing(connect(parameters)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"create table ventas ({columns})")
        with path.open("rb") as file:
            cursor.copy_expert("copy ventas from stdin (format csv, header)", file, 1 << 20)
