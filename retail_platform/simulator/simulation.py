"""Makes a world, or continues one, and delivers its files."""

import logging
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

from retail_platform.manifests import MANIFEST, FileEntry
from retail_platform.simulator.config import SimulatorError, WorldConfig
from retail_platform.simulator.defects import plant_defects
from retail_platform.simulator.demand import build_habits
from retail_platform.simulator.dimensions import products_frame, promotions_frame, stores_frame
from retail_platform.simulator.manifest import read_manifest, write_manifest
from retail_platform.simulator.months import Target, run_months
from retail_platform.simulator.state import RunState, load_state, save_state
from retail_platform.simulator.stock import build_policy, opening_state
from retail_platform.simulator.world import World, build_world
from retail_platform.simulator.writer import (
    STATE,
    delivery,
    describe_files,
    foreign_files,
    write_parquet,
)
from retail_platform.text import shown_path

logger = logging.getLogger(__name__)


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
    habits = build_habits(world.products, world.stores)
    policy = build_policy(world, habits)
    state = RunState(config.start, opening_state(world, policy))
    with delivery(output, replace_all=True) as folder:
        # Whatever is in the output folder is of another world, and never read.
        target = Target(folder, None, config.start)
        run_months(world, habits, policy, state, end, target, workers, on_day)
        _finish(world, state, end, folder, {})
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

    Files that are not those of the manifest are not continued: the world is then made at once.

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
    habits = build_habits(world.products, world.stores)
    stock, pending, orders = load_state(output / STATE, earlier.end)
    if foreign := foreign_files(output, earlier.files):
        # Of an append that was cut off, or of another world: none of it is read.
        logger.warning(
            "%s: this world is made again from its first day (%s)",
            shown_path(output),
            "; ".join(foreign[:3]),
        )
        generate(earlier.config, end, output, workers=workers, on_day=on_day)
        return
    first = earlier.end + timedelta(days=1)
    state = RunState(first, stock, pending, orders, earlier.totals, earlier.counters)
    with delivery(output, replace_all=False) as folder:
        target = Target(folder, output, first)
        policy = build_policy(world, habits)
        run_months(world, habits, policy, state, end, target, workers, on_day)
        _finish(world, state, end, folder, earlier.files)


def _finish(
    world: World,
    state: RunState,
    end: date,
    folder: Path,
    earlier: Mapping[str, FileEntry],
) -> None:
    """Write the slow tables, the state and the manifest, which lists the earlier files as well."""
    rows = {
        table: sum(month["filas"] for month in months.values())
        for table, months in state.totals.items()
    }
    slow = {"productos": products_frame, "tiendas": stores_frame, "promociones": promotions_frame}
    for table, build in slow.items():
        frame = build(world, end)
        write_parquet(frame, folder / f"{table}.parquet")
        rows[table] = len(frame)
    save_state(folder / STATE, state, end)
    files = dict(sorted({**earlier, **describe_files(folder)}.items()))
    write_manifest(folder / MANIFEST, world, end, rows, files, state.totals, state.counters)
