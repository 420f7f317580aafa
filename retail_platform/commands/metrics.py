"""Ask the metrics layer: without --metrics it lists the metrics, with it it answers.

For example --metrics ventas_netas,margen --group-by metric_time__month,tienda__cadena
--where "{{ TimeDimension('metric_time', 'day') }} >= '2026-01-01'" (docs/metrics.md)
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from retail_platform.metrics import Metrics, Question, find_manifest
from retail_platform.postgres.connection import connect
from retail_platform.project import require_project
from retail_platform.targets import connection_parameters


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, list or answer."""
    options = _parser().parse_args(_with_order(sys.argv[1:] if argv is None else argv))
    metrics = Metrics(find_manifest(require_project()))
    if options.list or not options.metrics:
        _show(["metric", "label", "meaning"], [(n, *told) for n, told in metrics.labels().items()])
        return 0
    if options.dimensions:
        print("\n".join(metrics.dimensions(options.metrics)))
        return 0
    order = options.order or options.group_by
    question = Question(options.metrics, options.group_by, options.where, order, options.limit)
    if options.sql:
        print(metrics.sql(question))
        return 0
    with closing(connect(connection_parameters(options.target))) as session:
        columns, rows = metrics.ask(session, question)
    if options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    else:
        _show(columns, rows)
    return 0


def _with_order(words: Sequence[str]) -> list[str]:
    """The command line with ``--order -margen`` in one word: argparse would see an option in it."""
    joined = list(words)
    if "--order" in joined[:-1]:
        place = joined.index("--order")
        joined[place : place + 2] = [f"--order={joined[place + 1]}"]
    return joined


def _show(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(*columns)
    for row in rows:
        table.add_row(*map(_text, row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float):
        return f"{value:,.4f}"
    return f"{value:,}" if isinstance(value, int | Decimal) else str(value)


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", default="local", help="whom to ask (%(default)s)")
    parser.add_argument("--metrics", type=_names, default=[], metavar="NAME,...")
    parser.add_argument("--group-by", type=_names, default=[], metavar="NAME,...")
    parser.add_argument("--where", metavar="FILTER", help="as MetricFlow writes filters")
    parser.add_argument(
        "--order", type=_names, default=[], metavar="NAME,...", help="-NAME: largest first"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="most rows to show")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--list", action="store_true", help="list the metrics")
    shown.add_argument("--dimensions", action="store_true", help="by what they may be asked for")
    shown.add_argument("--sql", action="store_true", help="print the SQL instead of the answer")
    shown.add_argument("--csv", action="store_true", help="print CSV instead of a table")
    return parser
