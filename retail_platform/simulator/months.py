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

from retail_platform.months import next_month
from retail_platform.simulator.arrays import Ints
from retail_platform.simulator.comebacks import Comebacks
from retail_platform.simulator.demand import Demand, Habits, want
from retail_platform.simulator.inventory import StockLog, StockRows, stock_frame
from retail_platform.simulator.manifest import (
    Counters,
    add_totals,
    orders_totals,
    returns_totals,
    sales_totals,
    stock_totals,
)
from retail_platform.simulator.orders import (
    Orders,
    join_orders,
    no_orders,
    orders_frame,
    sorted_orders,
)
from retail_platform.simulator.returns import Returns, build_returns, join, returns_frame
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

    def earlier_rows(self, table: str, column: str, month: date) -> pl.DataFrame | None:
        """A month's rows of the days before this run; None if an earlier run delivered none."""
        name = month_file(table, month)
        if not self.earlier or month >= self.first or not (self.earlier / name).exists():
            return None
        return read_parquet(self.earlier / name).filter(pl.col(column) < self.first)

    def write(self, frame: pl.DataFrame, table: str, column: str, month: date) -> None:
        """Write a month's rows behind those that an earlier run delivered."""
        if (before := self.earlier_rows(table, column, month)) is not None:
            frame = pl.concat([before, frame])
        write_parquet(frame, self.folder / month_file(table, month))

    def write_orders(self, frame: pl.DataFrame, month: date) -> None:
        """Write a month's order lines; those that were open before come again, as they are now."""
        before = self.earlier_rows("pedidos", "fecha_pedido", month)
        if before is not None:
            done = before.filter(pl.col("fecha_entrega").is_not_null())
            frame = sorted_orders(pl.concat([done, frame]))
        write_parquet(frame, self.folder / month_file("pedidos", month))


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
    book = OrderBook(state, end)
    lookahead = workers + 1
    ahead: deque[Future[Path]] = deque()
    writing: deque[tuple[Ints, Future[Path], Future[Any], list[Future[None]]]] = deque()

    def finish_month() -> None:
        days, sold, stocked, ordered = writing.popleft()
        month = _month_of(days)
        for written in ordered:
            written.result()
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
            shortage, orders, comebacks = run_stock(world, policy, state, log, demand)
            order = (world, demand, shortage, comebacks, target)
            sold = pool.submit(keep, target.folder, _sell_and_write, *order)
            month = _month_of(demand.days)
            stocked = pool.submit(_write_stock, world, log.take_rows(), month, target)
            ordered = [
                pool.submit(_write_orders, world, lines, of, end, target)
                for of, lines in book.take(month, orders)
            ]
            writing.append((demand.days, sold, stocked, ordered))
            while len(writing) > lookahead:
                finish_month()
        while writing:
            finish_month()
    state.next_day = end + timedelta(days=1)


def _months(first: date, last: date) -> Iterator[Ints]:
    """Ordinals from ``first`` to ``last``, month by month."""
    day = first
    while day <= last:
        following = next_month(day)
        until = min(following, last + timedelta(days=1))
        yield np.arange(day.toordinal(), until.toordinal())
        day = following


def _month_of(days: Ints) -> date:
    """First day of the month of consecutive ordinals."""
    return date.fromordinal(int(days[0])).replace(day=1)


class OrderBook:
    """Sorts the order lines of a run into months; changes the open orders and totals of a state."""

    def __init__(self, state: RunState, end: date) -> None:
        """Begin with the orders that were open before.

        Args:
            state: Before the first day of the run.
            end: Last day of the run.
        """
        self._state = state
        self._end = end
        self._before = state.open_orders
        state.open_orders = self._still_open(self._before)
        self._receive(self._before)

    def take(self, month: date, orders: Orders) -> list[tuple[date, Orders]]:
        """The months to be written, each with its lines, after a month was run.

        Args:
            month: The month.
            orders: Its new lines.
        """
        add_totals(self._state.totals, "pedidos", month, orders_totals(orders))
        self._receive(orders)
        self._state.open_orders = join_orders([self._state.open_orders, self._still_open(orders)])
        lines = {month: orders} | {
            earlier: join_orders([old, orders] if earlier == month else [old])
            for earlier, old in _by_month(self._before)
        }
        self._before = no_orders()
        return list(lines.items())

    def _still_open(self, orders: Orders) -> Orders:
        return orders.select(orders.arrival > self._end.toordinal())

    def _receive(self, orders: Orders) -> None:
        """Add what has come of the lines to the totals of the months of the orders."""
        for month, lines in _by_month(orders):
            come = int(lines.received[lines.arrival <= self._end.toordinal()].sum())
            add_totals(self._state.totals, "pedidos", month, {"unidades_recibidas": come})


def _by_month(orders: Orders) -> list[tuple[date, Orders]]:
    """Lines by the month of their day."""
    days = np.unique(orders.day)
    months = sorted({date.fromordinal(int(day)).replace(day=1) for day in days})
    return [
        (
            month,
            orders.select(
                (orders.day >= month.toordinal()) & (orders.day < next_month(month).toordinal())
            ),
        )
        for month in months
    ]


def run_stock(
    world: World, policy: Policy, state: RunState, log: StockLog, demand: Demand
) -> tuple[Shortage, Orders, Comebacks]:
    """Run the shelves through the days of a demand.

    Returns:
        Where they could not serve it, what was ordered, and what will come back of what was sold.
    """
    plan = plan_supply(world, demand.days)
    last_line = np.cumsum(demand.lines_per_day)
    short: list[tuple[Ints, Ints, Ints]] = []
    orders: list[Orders] = []
    sold_lines = np.ones(len(demand.line_pair), bool)
    back = demand.comebacks
    for number, day in enumerate(demand.days):
        lines = slice(last_line[number] - demand.lines_per_day[number], last_line[number])
        wanted = np.bincount(
            demand.line_pair[lines], demand.line_quantity[lines], len(world.pairs)
        ).astype(np.int64)
        balance = advance(world, policy, plan, state.stock, number, wanted)
        log.add(int(day), balance)
        orders.append(balance.orders)
        is_short = wanted > balance.sold
        missing = np.flatnonzero(is_short)
        sold_lines[lines] = ~is_short[demand.line_pair[lines]]
        today = (back.line >= lines.start) & (back.line < lines.stop)
        _keep_for_the_shelf(state, demand, back.select(today & sold_lines[back.line]))
        short.append((np.full(len(missing), number), missing, balance.sold[missing]))
        _count(world, state.counters, int(day), wanted, balance)
    shortage = Shortage(*(np.concatenate(column) for column in zip(*short, strict=True)))
    return shortage, join_orders(orders), back.select(sold_lines[back.line])


def _keep_for_the_shelf(state: RunState, demand: Demand, back: Comebacks) -> None:
    """Note the returned goods that will go back to the shelf."""
    chosen = back.select(back.restocked)
    more = np.stack([chosen.day, demand.line_pair[chosen.line], chosen.quantity])
    state.stock.restock = np.concatenate([state.stock.restock, more], axis=1)


def _count(world: World, counters: Counters, day: int, wanted: Ints, balance: StockDay) -> None:
    """Add a day to the counters, save for pairs on their last day: they are emptied on purpose."""
    active = world.pairs.active(day) & (world.pairs.last > day)
    counters.pair_days += int(active.sum())
    counters.empty_days += int((active & (balance.closing == 0)).sum())
    counters.wanted += int(wanted.sum())
    counters.sold += int(balance.sold.sum())


def _sell_and_write(
    world: World, demand: Demand, shortage: Shortage, comebacks: Comebacks, target: Target
) -> tuple[Returns, dict[str, int]]:
    """Serve a month, write its sales and make their returns."""
    sales = sell(world, demand, shortage)
    target.write(sales_frame(world, sales), "ventas", "fecha_venta", _month_of(demand.days))
    return build_returns(sales, comebacks), sales_totals(sales)


def _write_stock(world: World, rows: StockRows, month: date, target: Target) -> dict[str, int]:
    """Write the stock rows that a month closed."""
    target.write(stock_frame(world, rows), "inventario", "fecha", month)
    return stock_totals(rows)


def _write_orders(world: World, orders: Orders, month: date, end: date, target: Target) -> None:
    """Write the order lines of a month."""
    target.write_orders(orders_frame(world, orders, end), month)


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
