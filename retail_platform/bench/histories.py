"""What the platform costs as its history grows: each stage, one more day, one late file.

A history is generated, loaded and built in a database of its own. Its last days, and one store's
sales of a day three years before, are held back and delivered afterwards, one at a time.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from psycopg2 import sql

from retail_platform.bench.measure import Measurement, summarise
from retail_platform.bench.scratch import Workplace, run_outside_transaction, scratch_workplace
from retail_platform.bench.storage import measure_sizes
from retail_platform.postgres.server import LocalServer
from retail_platform.reporting.statements import fetch
from retail_platform.simulator.writer import MANIFEST

log = logging.getLogger(__name__)

# In the middle of the year's largest month: a build costs what the month holds so far. Far in the
# future, because twenty years of data and their holidays have to fit before it.
END = date(2035, 12, 17)
LATE_YEARS = 3
DATE_COLUMNS = {
    "ventas": "fecha_venta",
    "devoluciones": "fecha_devolucion",
    "inventario": "fecha",
    "pedidos": "fecha_pedido",
}


@dataclass(frozen=True)
class History:
    """A volume to build.

    Attributes:
        scale: Share of the full daily volume.
        years: Length.
    """

    scale: float
    years: int


# Million sale lines -> how they come about. Stores open over the years, so the last month of twenty
# years would be larger than that of five: 0.8 makes them equal, and only the history differs.
HISTORIES: Mapping[str, History] = {
    "1": History(1 / 13, 5),
    "4": History(4 / 13, 5),
    "13": History(1, 5),
    "52": History(0.8, 20),
}


@dataclass(frozen=True)
class Deliveries:
    """Files to load, in order.

    Attributes:
        base: Everything but what follows.
        days: The last days, one list of files each.
        late: Sales of one store and day, years back, one list of files each.
    """

    base: list[Path]
    days: list[list[Path]]
    late: list[list[Path]]


def measure_history(server: LocalServer, history: History, seed: int, repeats: int) -> Measurement:
    """Build a history and then what comes after it.

    Args:
        server: An embedded server that runs.
        history: The volume.
        seed: Of the simulation.
        repeats: Days, and late files, delivered afterwards.

    Returns:
        Lines; seconds of generating, loading and building; models; bytes by schema; a build with
        nothing new; and medians over the days and over the late files.
    """
    with (
        tempfile.TemporaryDirectory(prefix="retail-bench-") as name,
        scratch_workplace(server) as place,
    ):
        data = Path(name) / "data"
        log.info("generate, scale %.3g, %d years", history.scale, history.years)
        generate_s = place.run(
            *["generate", "--scale", str(history.scale), "--years", str(history.years)],
            *["--end-date", END.isoformat(), "--future", "--seed", str(seed)],
            *["--output", str(data), "--quiet"],
        )
        deliveries = hold_back(data, Path(name) / "later", history.years, repeats)
        log.info("load")
        load_s = load(place, deliveries.base)
        log.info("build")
        build = place.build()
        with closing(place.connect()) as session:
            [[lines]] = fetch(session, "select count(*) from retail.fact_ventas")
            sizes = measure_sizes(session)
        # A history of years was vacuumed long ago; autovacuum would do it beside the days.
        log.info("vacuum")
        run_outside_transaction(place.parameters, sql.SQL("vacuum"))
        log.info("build again")
        again = place.build()
        result = {
            "lines": lines,
            "scale": history.scale,
            "years": history.years,
            "file_bytes": sum(path.stat().st_size for path in data.rglob("*.parquet")),
            "generate_s": round(generate_s, 2),
            "load_s": round(load_s, 2),
            "build": build,
            "bytes": {
                schema: sum(
                    size["table_bytes"] + size["index_bytes"]
                    for size in sizes
                    if size["schema"] == schema
                )
                for schema in ("staging", "retail", "cuarentena")
            },
            "again": again,
        }
        for kind in ("days", "late"):
            result[kind] = _deliver(place, kind, getattr(deliveries, kind))
        return result


def _deliver(place: Workplace, kind: str, deliveries: list[list[Path]]) -> Measurement:
    """Load and build each delivery; medians over them."""
    loads, builds = [], []
    for files in deliveries:
        log.info("deliver: %s", kind)
        load_s, build = deliver(place, files)
        loads.append(load_s)
        builds.append(build)
    figures = ("wall_s", "database_s")
    return {"load_s": summarise(loads), "slowest": builds[-1]["slowest"]} | {
        figure: summarise([build[figure] for build in builds]) for figure in figures
    }


def deliver(place: Workplace, files: list[Path]) -> tuple[float, Measurement]:
    """Load files and build, without unit tests, as `retail daily` does.

    Args:
        place: Where.
        files: Of one delivery.

    Returns:
        Seconds of the load, and what `Workplace.build` says.
    """
    return load(place, files), place.build("--exclude-resource-type", "unit_test")


def load(place: Workplace, files: list[Path]) -> float:
    """Load files and folders of a history; seconds.

    Args:
        place: Where.
        files: To load.
    """
    paths = [str(path) for path in files]
    return place.run("load", *paths, "--target", "ci", "--last-date", END.isoformat())


def hold_back(data: Path, later: Path, years: int, count: int) -> Deliveries:
    """Take the last days, and sales of earlier days, out of simulated files.

    Args:
        data: The simulator's folder; its files of the months concerned are replaced, and
            its manifest, which they no longer are as, goes.
        later: Folder for what is taken out.
        years: Length of the history; the earlier days are three years back, or at its beginning.
        count: Days, and earlier days.

    Returns:
        What to load first, and then.
    """
    (data / MANIFEST).unlink()  # its files are about to be others than it says
    days = [END - timedelta(days=back) for back in reversed(range(count))]
    earlier = END.replace(year=END.year - min(LATE_YEARS, years - 1), day=1)
    return Deliveries(
        days=[_take_day(data, later / f"day_{day}", day) for day in days],
        late=[
            _take_store(data, later / f"late_{index}", earlier + timedelta(days=index))
            for index in range(count)
        ],
        base=[data],
    )


def _take_day(data: Path, folder: Path, day: date) -> list[Path]:
    """Move all facts of a day into files of their own."""
    taken = []
    for subject, column in DATE_COLUMNS.items():
        source = data / subject / f"{subject}_{day:%Y%m}.parquet"
        taken += _move(source, folder / f"{subject}_{day:%Y%m%d}.parquet", pl.col(column) == day)
    return taken


def _take_store(data: Path, folder: Path, day: date) -> list[Path]:
    """Move the sales of one store and day into a file, of tickets that nobody returned.

    The line of a return must be there when the return is loaded.
    """
    source = data / "ventas" / f"ventas_{day:%Y%m}.parquet"
    returned = pl.scan_parquet(data / "devoluciones" / "*.parquet").select("ticket_id").unique()
    of_day = pl.scan_parquet(source).filter(pl.col("fecha_venta") == day)
    tickets = of_day.join(returned, on="ticket_id", how="anti").collect()
    store = tickets.get_column("tienda_id").mode().min()
    chosen = tickets.filter(pl.col("tienda_id") == store).get_column("ticket_id").unique()
    return _move(
        source,
        folder / f"ventas_{day:%Y%m%d}.parquet",
        pl.col("ticket_id").is_in(chosen.implode()),
    )


def _move(source: Path, target: Path, condition: pl.Expr) -> list[Path]:
    """Move the rows that fulfil a condition from one file to another, if there are any."""
    if not source.is_file():
        return []
    rows = pl.read_parquet(source)
    moved = rows.filter(condition)
    if moved.is_empty():
        return []
    target.parent.mkdir(parents=True, exist_ok=True)
    moved.write_parquet(target, compression="zstd")
    rows.filter(~condition).write_parquet(source, compression="zstd")
    return [target]
