"""The loop over the months.

Workers draw the demand of months ahead; the stock runs day by day in the calling process, since it
remembers yesterday; workers then serve, price and write the month. Random streams are keyed by day,
so the data do not depend on who worked when.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from retail_platform.simulator.arrays import Ints
from retail_platform.simulator.demand import Demand, Habits, want
from retail_platform.simulator.inventory import StockLog, StockRows, stock_frame
from retail_platform.simulator.manifest import (
    Counters,
    add_totals,
    returns_totals,
    sales_totals,
    stock_totals,
)
from retail_platform.simulator.returns import Returns, draw_returns, join, returns_frame
from retail_platform.simulator.state import RunState
from retail_platform.simulator.stock import Policy, StockDay, advance, plan_supply
from retail_platform.simulator.tickets import Shortage, sales_frame, sell
from retail_platform.simulator.workers import executor, keep, take
from retail_platform.simulator.world import World
from retail_platform.simulator.writer import month_file, read_parquet, write_parquet


@dataclass(frozen=True)
class Target:
    """Where month files go.

    Attributes:
        folder: Folder of the new files.
        earlier: Folder with the files of earlier runs of this world; None if it is new.
        first: First day of this run; earlier files hold the days before it.
    """

    folder: Path
    earlier: Path | None
    first: date

    def write(self, frame: pl.DataFrame, table: str, column: str, month: date) -> None:
        """Write a month's rows behind those that an earlier run delivered."""
        name = month_file(table, month)
        if self.earlier and month < self.first and (before := self.earlier / name).exists():
            frame = pl.concat([read_parquet(before).filter(pl.col(column) < self.first), frame])
        write_parquet(frame, self.folder / name)


def run_months(
    world: World,
    habits: Habits,
    policy: Policy,
    state: RunState,
    end: date,
    target: Target,
    workers: int,
    on_day: Callable[[int], None],
) -> None:
    """Simulate up to ``end`` and write the month files; changes ``state``."""
    log = StockLog(world)
    blocks = deque(_months(state.next_day, end))
    lookahead = workers + 1
    ahead: deque[Future[Path]] = deque()
    writing: deque[tuple[Ints, Future[Path], Future[Any]]] = deque()

    def finish_month() -> None:
        days, sold, stocked = writing.popleft()
        month = _month_of(days)
        returns, sums = take(sold)
        add_totals(state.totals, "ventas", month, sums)
        add_totals(state.totals, "inventario", month, stocked.result())
        _deliver_returns(world, state, days, returns, target)
        on_day(len(days))

    with executor(min(workers, len(blocks))) as pool:
        while blocks or ahead:
            while blocks and len(ahead) < lookahead:
                month_days = blocks.popleft()
                ahead.append(pool.submit(keep, target.folder, want, world, habits, month_days))
            demand: Demand = take(ahead.popleft())
            shortage = run_stock(world, policy, state, log, demand)
            order = (world, demand, shortage, target)
            sold = pool.submit(keep, target.folder, _sell_and_write, *order)
            month = _month_of(demand.days)
            stocked = pool.submit(_write_stock, world, log.take_rows(), month, target)
            writing.append((demand.days, sold, stocked))
            while len(writing) > lookahead:
                finish_month()
        while writing:
            finish_month()
    state.next_day = end + timedelta(days=1)


def _months(first: date, last: date) -> Iterator[Ints]:
    """Ordinals from ``first`` to ``last``, month by month."""
    day = first
    while day <= last:
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        until = min(following, last + timedelta(days=1))
        yield np.arange(day.toordinal(), until.toordinal())
        day = following


def _month_of(days: Ints) -> date:
    """First day of the month of consecutive ordinals."""
    return date.fromordinal(int(days[0])).replace(day=1)


def run_stock(
    world: World, policy: Policy, state: RunState, log: StockLog, demand: Demand
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
        balance = advance(world, policy, plan, state.stock, number, wanted)
        log.add(int(day), balance)
        missing = np.flatnonzero(wanted > balance.sold)
        short.append((np.full(len(missing), number), missing, balance.sold[missing]))
        _count(world, state.counters, int(day), wanted, balance)
    return Shortage(*(np.concatenate(column) for column in zip(*short, strict=True)))


def _count(world: World, counters: Counters, day: int, wanted: Ints, balance: StockDay) -> None:
    """Add a day to the counters, save for pairs on their last day: they are emptied on purpose."""
    active = world.pairs.active(day) & (world.pairs.last > day)
    counters.pair_days += int(active.sum())
    counters.empty_days += int((active & (balance.closing == 0)).sum())
    counters.wanted += int(wanted.sum())
    counters.sold += int(balance.sold.sum())


def _sell_and_write(
    world: World, demand: Demand, shortage: Shortage, target: Target
) -> tuple[Returns, dict[str, int]]:
    """Serve a month, write its sales and draw their returns."""
    sales = sell(world, demand, shortage)
    target.write(sales_frame(world, sales), "ventas", "fecha_venta", _month_of(demand.days))
    return draw_returns(world, sales), sales_totals(sales)


def _write_stock(world: World, rows: StockRows, month: date, target: Target) -> dict[str, int]:
    """Write the stock rows that a month closed."""
    target.write(stock_frame(world, rows), "inventario", "fecha", month)
    return stock_totals(rows)


def _deliver_returns(
    world: World, state: RunState, days: Ints, returns: Returns, target: Target
) -> None:
    """Write the returns that came back up to the last of the days; keep those of later days."""
    known = join([state.pending, returns])
    is_due = known.day <= days[-1]
    due = known.select(is_due)
    state.pending = known.select(~is_due)
    month = _month_of(days)
    target.write(returns_frame(world, due), "devoluciones", "fecha_devolucion", month)
    add_totals(state.totals, "devoluciones", month, returns_totals(due))
