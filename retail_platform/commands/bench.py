"""Measures the platform.

queries    the four questions three ways, indexes, views, sizes, concurrency: on a built database
scale      each stage at 1, 4 and 13 million sale lines (52 on request)
daily      one more day and one late file on top of 13 and of 52 million sale lines
           (scale and daily: in databases of their own on the embedded server)
copy       an export, and the analyses in DuckDB on it against PostgreSQL (extra [export])
report     docs/performance.md again from the results of these four
load       the load gate on a CSV file of sales, against a plain COPY, and its memory
cluster    one PostgreSQL against a Citus cluster on the same machine: load, build, day, questions
simulator  lines a second, memory, the share of each stage, one more day
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler

from retail_platform.bench import cluster, gate, simulator
from retail_platform.bench.concurrency import CLIENTS
from retail_platform.bench.histories import HISTORIES, History
from retail_platform.bench.report import read_results, write_report
from retail_platform.bench.suite import Choices, measure_built, measure_growth
from retail_platform.project import require_project
from retail_platform.settings import DEFAULT_SEED
from retail_platform.targets import connection_parameters


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, measure, and write the page or print."""
    options = _parser().parse_args(argv)
    match options.command:
        case "load":
            with tempfile.TemporaryDirectory() as folder:
                parameters = connection_parameters(options.target)
                print(gate.measure(parameters, Path(folder), options.rows, options.repeat))
        case "cluster":
            history = History(options.scale, options.years)
            Console().print(
                *cluster.measure(require_project(), history, options.seed, options.repeats)
            )
        case "simulator":
            Console().print(*simulator.measure(options.scale, options.years, options.workers))
        case _:
            _measure_for_page(options)
    return 0


def _measure_for_page(options: argparse.Namespace) -> None:
    logging.basicConfig(
        level=logging.WARNING if options.quiet else logging.INFO,
        format="%(message)s",
        handlers=[RichHandler(console=Console(stderr=True), show_path=False, show_level=False)],
    )
    project = require_project()
    output = options.output or project / "docs"
    results = read_results(output)
    match options.command:
        case "queries":
            results["queries"] = measure_built(
                project,
                Choices(
                    target=options.target,
                    repeats=options.repeats,
                    clients=options.clients,
                    seconds=options.seconds,
                    cold=options.cold,
                ),
            )
        case "copy":
            # Its packages are those of an extra.
            from retail_platform.bench.lake import measure_copy

            results["open_copy"] = measure_copy(project, options.target, options.repeats)
        case "scale" | "daily":
            for name in options.points:
                results["histories"][name] = measure_growth(
                    project, HISTORIES[name], options.seed, options.repeats
                )
                write_report(output, results)
    print(write_report(output, results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, repeats in (
        ("queries", 5),
        ("copy", 5),
        ("scale", 3),
        ("daily", 3),
        ("report", 0),
    ):
        command = commands.add_parser(name)
        command.add_argument("--output", type=Path, help="folder (docs)")
        command.add_argument("--quiet", action="store_true", help="say only what goes wrong")
        if name == "report":
            continue
        command.add_argument("--repeats", type=_positive, default=repeats, help="runs that count")
        if name == "queries":
            command.add_argument("--target", default="local", help="a target of profiles.yml")
            command.add_argument("--seconds", type=_positive, default=15, help="of a pgbench run")
            command.add_argument(
                "--clients", type=_positive, nargs="+", default=CLIENTS, help="of pgbench"
            )
            command.add_argument("--no-cold", dest="cold", action="store_false", help="warm only")
        elif name == "copy":
            command.add_argument("--target", default="local", help="a target of profiles.yml")
        else:
            points = ["1", "4", "13"] if name == "scale" else ["13", "52"]
            command.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of the simulation")
            command.add_argument(
                *("--points", "--million-lines"),
                nargs="+",
                choices=list(HISTORIES),
                default=points,
                help="million sale lines (default %(default)s)",
            )
    load = commands.add_parser("load")
    load.add_argument("--target", default="local", help="target of profiles.yml")
    load.add_argument("--rows", type=int, default=2_000_000, help="sale lines (%(default)s)")
    load.add_argument("--repeat", type=int, default=5, help="runs of each (%(default)s)")
    both = commands.add_parser("cluster")
    both.add_argument("--scale", type=float, default=0.1, help="volume (1 = full)")
    both.add_argument("--years", type=int, default=5, help="of history (%(default)s)")
    both.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of the simulation")
    both.add_argument("--repeats", type=_positive, default=3, help="days, and runs that count")
    simulation = commands.add_parser("simulator")
    simulation.add_argument("--scale", type=float, default=1.0, help="volume (1 = full)")
    simulation.add_argument("--years", type=int, default=5, help="of history (%(default)s)")
    simulation.add_argument("--workers", type=int, default=2, help="processes (%(default)s)")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}; allowed: a whole number of 1 or more")
    return int(text)
