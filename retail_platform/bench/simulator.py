"""Benchmark of the simulator: lines a second, memory, the share of each stage, one more day.

The share of the stages is measured in one process over one year, since the
stages of several workers overlap.
"""

import cProfile
import pstats
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from retail_platform.simulator import (
    demand,
    inventory,
    months,
    orders,
    returns,
    simulation,
    tickets,
    writer,
)
from retail_platform.simulator.config import config_for
from retail_platform.simulator.manifest import read_manifest

_STAGES: dict[str, tuple[Callable[..., Any], ...]] = {
    "demand: tickets and lines wanted": (demand.want,),
    "stock: shelves and orders": (months.run_stock,),
    "tickets: lines served and priced": (tickets.sell,),
    "returns": (returns.build_returns,),
    "frames: decimals, dates, texts": (
        tickets.sales_frame,
        inventory.stock_frame,
        orders.orders_frame,
        returns.returns_frame,
    ),
    "Parquet": (writer.write_parquet,),
}
_END = date(2025, 12, 31)
_SEED = 7


def measure(scale: float, years: int, workers: int) -> tuple[str, Table]:
    """Generate a world and one more day, then profile the stages.

    Args:
        scale: Volume, 1 = full.
        years: Of history.
        workers: Processes.

    Returns:
        Rates and memory as text, and the share of each stage.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = _generate(folder, scale, years, workers, _END)
        totals = read_manifest(folder / writer.MANIFEST).totals
        lines, stock = (
            sum(month["filas"] for month in totals[table].values())
            for table in ("ventas", "inventario")
        )
        begun = time.perf_counter()
        simulation.append(_END + timedelta(days=1), folder)
        one_day = time.perf_counter() - begun
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
    text = (
        f"{lines:,} sale lines and {stock:,} stock rows in {seconds:.1f} s with {workers} "
        f"workers: {lines / seconds:,.0f} lines/s, {size / 1e6:.0f} MB of Parquet\n"
        f"processor time: {_processor_seconds():.1f} s; one more day: {one_day:.2f} s\n"
        f"peak memory: {_peak_megabytes(resource.RUSAGE_SELF):.0f} MB, and "
        f"{_peak_megabytes(resource.RUSAGE_CHILDREN):.0f} MB in the largest worker"
    )
    return text, _stage_table(scale)


def _generate(folder: Path, scale: float, years: int, workers: int, end: date) -> float:
    """Generate a world; return the seconds it took."""
    begun = time.perf_counter()
    config = config_for(seed=_SEED, scale=scale, end=end, years=years)
    simulation.generate(config, end, folder, workers=workers)
    return time.perf_counter() - begun


def _stage_table(scale: float) -> Table:
    """Profile one year in this process and add up the stages."""
    # Processor time: what else runs on the machine does not count.
    profile = cProfile.Profile(time.process_time)
    with tempfile.TemporaryDirectory() as folder:
        profile.enable()
        _generate(Path(folder), scale, 1, 1, _END)
        profile.disable()
    # pstats keeps a plain dictionary, which its type stubs do not tell of.
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, Any]]
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    seconds = {
        name: sum(
            entry[3]
            for (file, line, _), entry in stats.items()
            for function in functions
            if (file, line) == (function.__code__.co_filename, function.__code__.co_firstlineno)
        )
        for name, functions in _STAGES.items()
    }
    whole = max(entry[3] for entry in stats.values())
    seconds["the rest"] = whole - sum(seconds.values())
    table = Table("stage", "seconds", "share", title="One year in one process", box=None)
    for name, value in seconds.items():
        table.add_row(name, f"{value:.2f}", f"{value / whole:.0%}")
    return table


def _processor_seconds() -> float:
    """Seconds of processor time of this process and its finished workers."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    usage = [resource.getrusage(who) for who in both]
    return sum(one.ru_utime + one.ru_stime for one in usage)


def _peak_megabytes(who: int) -> float:
    """Largest resident memory so far, in MB."""
    return resource.getrusage(who).ru_maxrss / 1024
