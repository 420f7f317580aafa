"""Compares a Citus cluster with one PostgreSQL of the same version on the same machine.

Both take the same deliveries, in turns: the history, nothing, one more day each. Then the analyses
are asked of both, in turns. That the answers are the same is the business of test_citus_platform.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from psycopg2.extensions import connection
from rich.table import Table

from retail_platform.bench.histories import END, History, deliver, hold_back, load
from retail_platform.bench.measure import alternate
from retail_platform.bench.scratch import Workplace, open_workplace
from retail_platform.postgres.cluster import WORKERS, citus_binaries, free_ports, open_cluster
from retail_platform.postgres.server import DATABASE, open_server
from retail_platform.reporting.answers import read_statements
from retail_platform.reporting.statements import Plan, fetch

log = logging.getLogger(__name__)

PLAIN, CLUSTER = "plain", "cluster"


def measure(project: Path, history: History, seed: int, repeats: int) -> tuple[str, Table]:
    """Measure both.

    Args:
        project: The dbt project.
        history: The volume.
        seed: Of the simulation.
        repeats: Days delivered one after the other, and runs of each analysis that count.

    Returns:
        What was measured, and a table: seconds of each, and the ratio.
    """
    seconds: dict[str, dict[str, float]] = {}

    def note(what: str, name: str, value: float) -> None:
        seconds.setdefault(what, {})[name] = value

    with _places(project) as (places, folder):
        data = folder / "data"
        places[PLAIN].run(
            *["generate", "--scale", str(history.scale), "--years", str(history.years)],
            *["--end-date", END.isoformat(), "--future", "--seed", str(seed)],
            *["--output", str(data), "--quiet"],
        )
        deliveries = hold_back(data, folder / "later", history.years, repeats)
        for name, place in places.items():
            log.info("%s: load, build, build again", name)
            note("load", name, load(place, deliveries.base))
            note("build", name, place.build()["wall_s"])
            note("build, nothing new", name, place.build()["wall_s"])
        days: dict[str, list[float]] = {name: [] for name in places}
        for files in deliveries.days:
            for name, place in places.items():
                log.info("%s: one more day", name)
                load_s, build = deliver(place, files)
                days[name].append(load_s + build["wall_s"])
        for name in places:
            note("one more day: load and build", name, statistics.median(days[name]))
        with ExitStack() as stack:
            sessions = {
                name: stack.enter_context(closing(place.connect()))
                for name, place in places.items()
            }
            [[lines]] = fetch(sessions[PLAIN], "select count(*) from retail.fact_ventas")
            for kind, pattern in (("questions", "q*.sql"), ("ad hoc analyses", "ad_hoc/*.sql")):
                log.info(kind)
                times = _ask(sessions, sorted((project / "analyses").glob(pattern)), repeats)
                for name, value in times.items():
                    note(f"{kind}, geometric mean", name, value)
    table = Table("", "plain, s", "1 + 2 nodes, s", "ratio")
    for what, by_name in seconds.items():
        plain, cluster = by_name[PLAIN], by_name[CLUSTER]
        table.add_row(what, f"{plain:.3g}", f"{cluster:.3g}", f"{cluster / plain:.2f}")
    return f"{lines:,} sale lines, {history.years} years; both on this machine, in turns", table


@contextmanager
def _places(project: Path) -> Iterator[tuple[dict[str, Workplace], Path]]:
    """A server and a cluster of the same programs, in temporary folders."""
    binaries = citus_binaries()
    with tempfile.TemporaryDirectory(prefix="retail-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        first = free_ports(2 + WORKERS)
        server = open_server(folder / "plain", first, binaries)
        cluster = open_cluster(folder / "citus", first + 1, binaries)
        stack.callback(server.stop, "immediate")
        stack.callback(cluster.stop, "immediate")
        server.start()
        cluster.start()
        parameters = {
            PLAIN: server.parameters(DATABASE),
            CLUSTER: cluster.coordinator.parameters(DATABASE),
        }
        yield (
            {
                key: stack.enter_context(open_workplace(project, values))
                for key, values in parameters.items()
            },
            folder,
        )


def _ask(sessions: dict[str, connection], paths: list[Path], repeats: int) -> dict[str, float]:
    """Ask each statement in turns; the geometric mean over them, of the medians."""
    medians: dict[str, list[float]] = {name: [] for name in sessions}
    for path in paths:
        for question in read_statements(path):
            run = partial(_timed, sessions, question.statement)
            runs = alternate(run, {name: name for name in sessions}, repeats)
            for name, values in runs.items():
                medians[name].append(statistics.median(each["s"] for each in values))
    return {name: statistics.geometric_mean(values) for name, values in medians.items()}


def _timed(sessions: dict[str, connection], statement: str, name: str) -> Plan:
    begun = time.perf_counter()
    fetch(sessions[name], statement)
    return {"s": time.perf_counter() - begun}
