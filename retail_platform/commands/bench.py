"""Measures the platform and writes docs/performance.md.

queries    the four questions three ways, indexes, views, sizes, concurrency: on a built database
scale      each stage at 1, 4 and 13 million sale lines (52 on request)
daily      one more day and one late file on top of 13 and of 52 million sale lines
           (scale and daily: in databases of their own on the embedded server)
report     the page again from the results there are
"""

from __future__ import annotations

import argparse
import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.logging import RichHandler

from retail_platform.bench.cold import can_drop_cache, restart_cold
from retail_platform.bench.concurrency import CLIENTS, measure_concurrency
from retail_platform.bench.histories import HISTORIES, History, measure_history
from retail_platform.bench.indexes import measure_alternatives, measure_indexes, statements_of
from retail_platform.bench.machine import describe
from retail_platform.bench.queries import measure_questions
from retail_platform.bench.report import read_results, write_report
from retail_platform.bench.scratch import Workplace
from retail_platform.bench.storage import measure_refreshes, measure_sizes
from retail_platform.errors import UserError
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import LocalServer, project_server
from retail_platform.reporting.statements import fetch
from retail_platform.settings import DEFAULT_SEED
from retail_platform.targets import PROJECT, connection_parameters

log = logging.getLogger("bench")
ANALYSES = PROJECT / "analyses"


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, measure, and write the page."""
    options = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.WARNING if options.quiet else logging.INFO,
        format="%(message)s",
        handlers=[RichHandler(console=Console(stderr=True), show_path=False, show_level=False)],
    )
    results = read_results(options.output)
    match options.command:
        case "queries":
            results["queries"] = _queries(options)
        case "scale" | "daily":
            for name in options.points:
                results["histories"][name] = _history(options, HISTORIES[name])
                write_report(options.output, results)
    print(write_report(options.output, results))
    return 0


def _queries(options: argparse.Namespace) -> dict[str, Any]:
    parameters = connection_parameters(options.target)
    open_session = partial(connect, parameters)
    with closing(open_session()) as session:
        [[lines, last_month]] = fetch(
            session,
            "select count(*), date_trunc('month', max(fecha_venta))::date from retail.fact_ventas",
        )
        machine = describe(session)
        sizes = measure_sizes(session)
        log.info("refresh of each view")
        refreshes = measure_refreshes(session, options.repeats)
        indexes = measure_indexes(session, ANALYSES, options.repeats)
        alternatives = measure_alternatives(session, ANALYSES, options.repeats)
    log.info("concurrency")
    with tempfile.TemporaryDirectory(prefix="retail-bench-") as name:
        shutil.copy(PROJECT / "profiles.yml.example", Path(name) / "profiles.yml")
        place = Workplace(parameters, Path(name))
        concurrency = measure_concurrency(
            place, ANALYSES, options.clients, options.seconds, str(last_month)
        )
    questions = measure_questions(
        *(open_session, ANALYSES, options.repeats),
        restart_cold=_restart(options, parameters),
        plans_folder=PROJECT / "target" / "bench" / "plans",
    )
    return {
        "machine": machine,
        "lines": lines,
        "statements": len(statements_of(ANALYSES)),
        "questions": questions,
        "indexes": indexes,
        "alternatives": alternatives,
        "refreshes": refreshes,
        "sizes": sizes,
        "concurrency": concurrency,
    }


def _restart(options: argparse.Namespace, parameters: dict[str, str]) -> Callable[[], None] | None:
    """How to restart the target's server cold; none where that cannot be done."""
    if options.target != "local" or not options.cold or not can_drop_cache():
        log.warning("cold runs are left out: they need the embedded server, on Linux")
        return None
    return partial(restart_cold, _embedded_server(parameters))


def _embedded_server(parameters: dict[str, str]) -> LocalServer:
    """The server of this checkout, which must be the one that target ``local`` is on."""
    server = project_server(PROJECT)
    if str(server.port) != parameters["port"]:
        raise UserError(
            f"Target 'local' is on port {parameters['port']}, but the embedded server of this "
            f"checkout on {server.port}. Set RETAIL_LOCAL_PORT={parameters['port']}."
        )
    return server


def _history(options: argparse.Namespace, history: History) -> dict[str, Any]:
    parameters = connection_parameters("local")
    with closing(connect(parameters)) as session:
        machine = describe(session)
    server = _embedded_server(parameters)
    measured = measure_history(server, history, options.seed, options.repeats)
    for kind in ("days", "late"):
        wall, database = measured[kind]["wall_s"], measured[kind]["database_s"]
        log.info(
            *("%s: dbt build %.1f s, of it in the database %.1f s", kind),
            *(wall["median"], database["median"]),
        )
    return measured | {"machine": machine}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, repeats in (("queries", 5), ("scale", 3), ("daily", 3), ("report", 0)):
        command = commands.add_parser(name)
        command.add_argument("--output", type=Path, default=PROJECT / "docs", help="%(default)s")
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
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}; allowed: a whole number of 1 or more")
    return int(text)
