"""Runs the parts month by month and delivers the files.

Workers draw the demand of months ahead; the stock runs day by day in the calling process, since it
remembers yesterday; workers then serve, price and write the month. Random streams are keyed by day,
so the data do not depend on who worked when.
"""

import os
import pickle
import signal
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import polars as pl

from retail_platform.simulator.arrays import Ints
from retail_platform.simulator.config import SimulatorError, WorldConfig
from retail_platform.simulator.defects import plant_defects
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
    Policy,
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
class RunState:
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
    pending: Returns = field(default_factory=no_returns)
    totals: Totals = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)


@dataclass(frozen=True)
class _Target:
    """Where month files go.

    Attributes:
        folder: Folder of the new files.
        earlier: Folder with the files of earlier runs.
        first: First day of this run; earlier files hold the days before it.
    """

    folder: Path
    earlier: Path
    first: date

    def write(self, frame: pl.DataFrame, table: str, column: str, month: date) -> None:
        """Write a month's rows behind those that an earlier run delivered."""
        name = month_file(table, month)
        before = self.earlier / name
        if month < self.first and before.exists():
            frame = pl.concat([pl.read_parquet(before).filter(pl.col(column) < self.first), frame])
        write_parquet(frame, self.folder / name)


def generate(
    config: WorldConfig,
    end: date,
    output: Path,
    *,
    workers: int = 1,
    dirty: float = 0.0,
    on_day: Callable[[int], None] = lambda days: None,
) -> None:
    """Generate a world from its first day to ``end`` and replace what was in ``output``.

    Args:
        config: Identity of the world.
        end: Last day.
        output: Folder of the files.
        workers: Processes that draw demand and write files; the result does not depend on it.
        dirty: Share of the rows that get a planted defect, 0 for clean data.
        on_day: Called with the number of days finished since the last call.

    Raises:
        SimulatorError: A value is not allowed or the folder cannot be written.
    """
    if end < config.daily_stock_from:
        raise SimulatorError(
            f"the world would end on {end}, before its daily stock rows begin on "
            f"{config.daily_stock_from}"
        )
    world = build_world(config)
    habits = build_habits(world.products)
    policy = build_policy(world, habits)
    state = RunState(config.start, opening_state(world, policy))
    with delivery(output, replace_all=True) as folder:
        target = _Target(folder, output, config.start)
        _run(world, habits, policy, state, end, target, workers, on_day)
        _finish(world, state, end, folder)
        if dirty:
            plant_defects(folder, config.seed, dirty)


def append(
    end: date,
    output: Path,
    *,
    workers: int = 1,
    on_day: Callable[[int], None] = lambda days: None,
) -> None:
    """Continue the world in ``output`` up to ``end``; the result is as if made at once.

    Args:
        end: New last day.
        output: Folder of an earlier run.
        workers: Processes that draw demand and write files.
        on_day: Called with the number of days finished since the last call.

    Raises:
        SimulatorError: There is no world, or it cannot be continued to ``end``.
    """
    earlier = read_manifest(output / MANIFEST)
    earlier.check_continuable(end)
    world = build_world(earlier.config)
    habits = build_habits(world.products)
    stock, pending = _load_state(output / STATE, earlier.end)
    first = earlier.end + timedelta(days=1)
    state = RunState(first, stock, pending, earlier.totals, earlier.counters)
    with delivery(output, replace_all=False) as folder:
        target = _Target(folder, output, first)
        policy = build_policy(world, habits)
        _run(world, habits, policy, state, end, target, workers, on_day)
        _finish(world, state, end, folder)


def _run(
    world: World,
    habits: Habits,
    policy: Policy,
    state: RunState,
    end: date,
    target: _Target,
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
        returns, sums = _take(sold)
        add_totals(state.totals, "ventas", month, sums)
        add_totals(state.totals, "inventario", month, stocked.result())
        _deliver_returns(world, state, days, returns, target)
        on_day(len(days))

    with _executor(min(workers, len(blocks))) as pool:
        while blocks or ahead:
            while blocks and len(ahead) < lookahead:
                month_days = blocks.popleft()
                ahead.append(pool.submit(_keep, target.folder, want, world, habits, month_days))
            demand: Demand = _take(ahead.popleft())
            shortage = _run_stock(world, policy, state, log, demand)
            order = (world, demand, shortage, target)
            sold = pool.submit(_keep, target.folder, _sell_and_write, *order)
            month = _month_of(demand.days)
            stocked = pool.submit(_write_stock, world, log.take_rows(), month, target)
            writing.append((demand.days, sold, stocked))
            while len(writing) > lookahead:
                finish_month()
        while writing:
            finish_month()
    state.next_day = end + timedelta(days=1)


def _keep(folder: Path, function: Callable[..., Any], *arguments: Any) -> Path:
    """In a worker: call a function and keep what it returns in a file, for `_take`.

    A pool waits forever for the rest of a result whose worker is killed while sending it (CPython,
    concurrent.futures); the name of a file is sent at once.
    """
    result = pickle.dumps(function(*arguments), protocol=pickle.HIGHEST_PROTOCOL)
    path = folder / f"{uuid.uuid4().hex}.pickle"
    try:
        path.write_bytes(result)
    except OSError as error:
        raise SimulatorError(f"cannot write into {folder}: {error.strerror}") from error
    return path


def _take(kept: Future[Path]) -> Any:
    """Wait for what `_keep` kept, and remove its file."""
    path = kept.result()
    result = pickle.loads(path.read_bytes())
    path.unlink()
    return result


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


def _run_stock(
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
    world: World, demand: Demand, shortage: Shortage, target: _Target
) -> tuple[Returns, dict[str, int]]:
    """Serve a month, write its sales and draw their returns."""
    sales = sell(world, demand, shortage)
    target.write(sales_frame(world, sales), "ventas", "fecha_venta", _month_of(demand.days))
    return draw_returns(world, sales), sales_totals(sales)


def _write_stock(world: World, rows: StockRows, month: date, target: _Target) -> dict[str, int]:
    """Write the stock rows that a month closed."""
    target.write(stock_frame(world, rows), "inventario", "fecha", month)
    return stock_totals(rows)


def _deliver_returns(
    world: World, state: RunState, days: Ints, returns: Returns, target: _Target
) -> None:
    """Write the returns that came back up to the last of the days; keep those of later days."""
    known = join([state.pending, returns])
    is_due = known.day <= days[-1]
    due = known.select(is_due)
    state.pending = known.select(~is_due)
    month = _month_of(days)
    target.write(returns_frame(world, due), "devoluciones", "fecha_devolucion", month)
    add_totals(state.totals, "devoluciones", month, returns_totals(due))


def _finish(world: World, state: RunState, end: date, folder: Path) -> None:
    """Write the slow tables, the state and the manifest."""
    rows = {
        table: sum(month["filas"] for month in months.values())
        for table, months in state.totals.items()
    }
    slow = {"productos": products_frame, "tiendas": stores_frame, "promociones": promotions_frame}
    for table, build in slow.items():
        frame = build(world, end)
        write_parquet(frame, folder / f"{table}.parquet")
        rows[table] = len(frame)
    _save_state(folder / STATE, state, end)
    write_manifest(folder / MANIFEST, world, end, rows, state.totals, state.counters)


def _save_state(path: Path, state: RunState, end: date) -> None:
    pending = {f"return_{f.name}": getattr(state.pending, f.name) for f in fields(Returns)}
    np.savez_compressed(
        path,
        allow_pickle=False,
        end=np.array(end.toordinal()),
        on_hand=state.stock.on_hand,
        in_transit=state.stock.in_transit,
        **pending,
    )


def _load_state(path: Path, last: date) -> tuple[StockState, Returns]:
    again = "so the world cannot be continued; generate it again without --append"
    try:
        with np.load(path) as saved:
            end = int(saved["end"])
            stock = StockState(saved["on_hand"], saved["in_transit"])
            pending = Returns(*(saved[f"return_{f.name}"] for f in fields(Returns)))
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise SimulatorError(f"{path} cannot be read, {again} ({error})") from error
    if end != last.toordinal():
        raise SimulatorError(
            f"{path} is of {date.fromordinal(end)} and the manifest of {last}, {again}"
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
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_follow_the_caller
    )
    try:
        yield pool
    except BrokenProcessPool as error:
        raise SimulatorError(
            "a worker was killed, perhaps for want of memory; try again, or with --workers 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _follow_the_caller() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the caller, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_after_the_caller, daemon=True).start()


def _exit_after_the_caller() -> None:
    """Wait for the calling process: one that was killed cannot stop its workers."""
    caller = parent_process()
    if caller is not None:
        caller.join()
        os._exit(1)
