"""Runs the parts month by month and delivers the files.

Workers draw the demand of months ahead; the stock runs day by day in the calling process, since it
remembers yesterday; workers then serve, price and write the month. Random streams are keyed by day,
so the data do not depend on who worked when.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from retail_platform.simulator.arrays import Ints
from retail_platform.simulator.config import SimulatorError, WorldConfig
from retail_platform.simulator.demand import Demand, Habits, build_habits, want
from retail_platform.simulator.dimensions import products_frame, promotions_frame, stores_frame
from retail_platform.simulator.inventory import StockLog, StockRows, stock_frame
from retail_platform.simulator.manifest import (
    Counters,
    Totals,
    add_totals,
    read_manifest,
    returns_totals,
    sales_totals,
    stock_totals,
    write_manifest,
)
from retail_platform.simulator.returns import Returns, draw_returns, join, no_returns, returns_frame
from retail_platform.simulator.stock import (
    StockDay,
    StockState,
    advance,
    build_policy,
    opening_state,
    plan_supply,
)
from retail_platform.simulator.tickets import Shortage, sales_frame, sell
from retail_platform.simulator.world import World, build_world
from retail_platform.simulator.writer import MANIFEST, STATE, delivery, month_file, write_parquet

MAX_WORKERS = 64


@dataclass
class Progress:
    """Everything that carries over from month to month, and from one run to the next.

    Attributes:
        next_day: First day that is not simulated yet.
        stock: Shelves and orders in transit.
        pending: Returns of sales made so far that come back on ``next_day`` or later.
        totals: Sums of the rows delivered.
        counters: Sums that only the simulation knows.
    """

    next_day: date
    stock: StockState
    pending: Returns
    totals: Totals
    counters: Counters


def generate(
    config: WorldConfig,
    end: date,
    output: Path,
    *,
    workers: int = 1,
    on_day: Callable[[int], None] = lambda days: None,
) -> None:
    """Generate a world from its first day to ``end`` and replace what was in ``output``.

    Args:
        config: Identity of the world.
        end: Last day.
        output: Folder of the files.
        workers: Processes that draw demand and write files; the result does not depend on it.
        on_day: Called with the number of days finished since the last call.

    Raises:
        SimulatorError: A value is not allowed or the folder cannot be written.
    """
    if not config.daily_stock_from <= end:
        raise SimulatorError(f"the world would end on {end}, before its daily stock rows begin")
    world = build_world(config)
    policy_state = opening_state(world, build_policy(world, build_habits(world.products)))
    progress = Progress(config.start, policy_state, no_returns(), {}, Counters())
    with delivery(output, replace_all=True) as folder:
        _run(world, progress, end, folder, output, workers, on_day)
        _finish(world, progress, end, folder, [])


def append(
    end: date,
    output: Path,
    *,
    workers: int = 1,
    on_day: Callable[[int], None] = lambda days: None,
) -> None:
    """Continue the world in ``output`` up to ``end``; the result is as if made at once.

    Raises:
        SimulatorError: There is no world, or it already reaches ``end``.
    """
    config, last, totals, counters, defects = read_manifest(output / MANIFEST)
    if end <= last:
        raise SimulatorError(f"the world in {output} already ends on {last}; append to a later day than {end}")
    world = build_world(config)
    stock, pending = _load_state(output / STATE, last)
    progress = Progress(last + timedelta(days=1), stock, pending, totals, counters)
    with delivery(output, replace_all=False) as folder:
        _run(world, progress, end, folder, output, workers, on_day)
        _finish(world, progress, end, folder, defects)


def _run(
    world: World,
    progress: Progress,
    end: date,
    folder: Path,
    earlier: Path,
    workers: int,
    on_day: Callable[[int], None],
) -> None:
    """Simulate up to ``end`` and write the month files into ``folder``."""
    habits = build_habits(world.products)
    policy = build_policy(world, habits)
    log = StockLog(world)
    first = progress.next_day
    blocks = deque(_months(first, end))
    ahead: deque[tuple[Ints, Future[Demand]]] = deque()
    writing: deque[tuple[date, int, Future[Any], Future[Any]]] = deque()

    def finish_month() -> None:
        month, days, sold, stocked = writing.popleft()
        returns, sums = sold.result()
        add_totals(progress.totals, "ventas", month, sums)
        add_totals(progress.totals, "inventario", month, stocked.result())
        progress.pending = _write_returns(world, progress, month, days, returns, folder, earlier, first)
        on_day(days)

    with _executor(workers) as pool:
        while blocks or ahead:
            while blocks and len(ahead) < workers + 1:
                days = blocks.popleft()
                ahead.append((days, pool.submit(want, world, habits, days)))
            days, future = ahead.popleft()
            demand = future.result()
            shortage = _run_stock(world, policy, progress, log, demand)
            month = date.fromordinal(int(days[0])).replace(day=1)
            sold = pool.submit(_sell_and_write, world, demand, shortage, folder, earlier, first)
            stocked = pool.submit(_write_stock, world, log.take_rows(), month, folder, earlier, first)
            writing.append((month, len(days), sold, stocked))
            while len(writing) > workers + 1:
                finish_month()
        while writing:
            finish_month()
    progress.next_day = end + timedelta(days=1)


def _months(first: date, last: date) -> Iterator[Ints]:
    """Ordinals from ``first`` to ``last``, month by month."""
    day = first
    while day <= last:
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        until = min(following, last + timedelta(days=1))
        yield np.arange(day.toordinal(), until.toordinal())
        day = following


def _run_stock(
    world: World, policy: Any, progress: Progress, log: StockLog, demand: Demand
) -> Shortage:
    """Run the shelves through the days of a demand; return where they could not serve it."""
    plan = plan_supply(world, demand.days)
    last_line = np.cumsum(demand.lines_per_day)
    short: list[tuple[Ints, Ints, Ints]] = []
    for number, day in enumerate(demand.days):
        lines = slice(last_line[number] - demand.lines_per_day[number], last_line[number])
        wanted = np.bincount(
            demand.line_pair[lines], demand.line_quantity[lines], len(world.pairs)
        ).astype(np.int64)
        balance = advance(world, policy, plan, progress.stock, number, wanted)
        log.add(int(day), balance)
        missing = np.flatnonzero(wanted > balance.sold)
        short.append((np.full(len(missing), number), missing, balance.sold[missing]))
        _count(world, progress.counters, int(day), wanted, balance)
    return Shortage(*(np.concatenate(column) for column in zip(*short, strict=True)))


def _count(world: World, counters: Counters, day: int, wanted: Ints, balance: StockDay) -> None:
    """Add a day to the counters; a pair's last day is written off and says nothing of stock-outs."""
    active = world.pairs.active(day) & (world.pairs.last > day)
    counters.pair_days += int(active.sum())
    counters.empty_days += int((active & (balance.closing == 0)).sum())
    counters.wanted += int(wanted.sum())
    counters.sold += int(balance.sold.sum())


def _sell_and_write(
    world: World, demand: Demand, shortage: Shortage, folder: Path, earlier: Path, first: date
) -> tuple[Returns, dict[str, int]]:
    """Serve a month, write its sales and draw their returns."""
    sales = sell(world, demand, shortage)
    month = date.fromordinal(int(demand.days[0]))
    name = month_file("ventas", month)
    _write_month(sales_frame(world, sales), name, "fecha_venta", folder, earlier, first)
    return draw_returns(world, sales), sales_totals(sales)


def _write_stock(
    world: World, rows: StockRows, month: date, folder: Path, earlier: Path, first: date
) -> dict[str, int]:
    """Write the stock rows that a month closed."""
    name = month_file("inventario", month)
    _write_month(stock_frame(world, rows), name, "fecha", folder, earlier, first)
    return stock_totals(rows)


def _write_returns(
    world: World,
    progress: Progress,
    month: date,
    days: int,
    returns: Returns,
    folder: Path,
    earlier: Path,
    first: date,
) -> Returns:
    """Write the returns of a month that is complete; give back those of later days."""
    known = join([progress.pending, returns])
    until = max(month, first).toordinal() + days
    due = known.select(known.day < until)
    name = month_file("devoluciones", month)
    _write_month(returns_frame(world, due), name, "fecha_devolucion", folder, earlier, first)
    add_totals(progress.totals, "devoluciones", month, returns_totals(due))
    return known.select(known.day >= until)


def _write_month(
    frame: pl.DataFrame, name: str, column: str, folder: Path, earlier: Path, first: date
) -> None:
    """Write a month's rows behind those that an earlier run delivered before ``first``."""
    before = earlier / name
    begun = first.day > 1 and name.endswith(f"_{first:%Y%m}.parquet")
    if begun and before.exists():
        frame = pl.concat([pl.read_parquet(before).filter(pl.col(column) < first), frame])
    write_parquet(frame, folder / name)


def _finish(
    world: World, progress: Progress, end: date, folder: Path, defects: list[dict[str, Any]]
) -> None:
    """Write the slow tables, the state and the manifest."""
    rows = {
        table: sum(month["filas"] for month in months.values())
        for table, months in progress.totals.items()
    }
    for table, build in (
        ("productos", products_frame),
        ("tiendas", stores_frame),
        ("promociones", promotions_frame),
    ):
        frame = build(world, end)
        write_parquet(frame, folder / f"{table}.parquet")
        rows[table] = len(frame)
    _save_state(folder / STATE, progress, end)
    write_manifest(folder / MANIFEST, world, end, rows, progress.totals, progress.counters, defects)


def _save_state(path: Path, progress: Progress, end: date) -> None:
    pending = {f"return_{f.name}": getattr(progress.pending, f.name) for f in fields(Returns)}
    np.savez_compressed(
        path,
        allow_pickle=False,
        end=np.array(end.toordinal()),
        on_hand=progress.stock.on_hand,
        in_transit=progress.stock.in_transit,
        **pending,
    )


def _load_state(path: Path, last: date) -> tuple[StockState, Returns]:
    try:
        with np.load(path) as saved:
            end = int(saved["end"])
            stock = StockState(saved["on_hand"], saved["in_transit"])
            pending = Returns(*(saved[f"return_{f.name}"] for f in fields(Returns)))
    except FileNotFoundError as error:
        raise SimulatorError(
            f"{path} is missing, so the world cannot be continued; generate it again without --append"
        ) from error
    if end != last.toordinal():
        raise SimulatorError(
            f"{path} is of {date.fromordinal(end)} but the manifest of {last}; generate the world again"
        )
    return stock, pending


class _InlineExecutor(Executor):
    """Runs a call when it is submitted, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the call and return its finished future."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@contextmanager
def _executor(workers: int) -> Iterator[Executor]:
    """A pool of fresh processes with one thread each, or this process for one worker."""
    if workers == 1:
        yield _InlineExecutor()
        return
    for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
