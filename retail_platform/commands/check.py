"""Compare what is published with what a build would make of the deliveries, row by row.

Finds rows of facts, aggregates, quarantines and dimensions that somebody changed, deleted or added
by hand, and says how to bring back what was delivered. Exit code 1 if there are any.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import date

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from retail_platform.integrity import (
    NIGHTS,
    Difference,
    Part,
    compare,
    read_models,
    repair,
)
from retail_platform.postgres.connection import connect
from retail_platform.targets import connection_parameters
from retail_platform.text import printable


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, compare and report; 1 if rows differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", default="local", help="target of profiles.yml (%(default)s)")
    parser.add_argument(
        "--share",
        action="store_true",
        help=f"today's share of the months only; all of them in {NIGHTS} nights",
    )
    parser.add_argument(
        "--night", type=date.fromisoformat, metavar="YYYY-MM-DD", help="the share of another day"
    )
    options = parser.parse_args(argv)
    night = options.night or (date.today() if options.share else None)
    compared: list[Part] = []
    errors = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed} compared"), TimeElapsedColumn())
    with Progress(
        *columns, console=errors, transient=True, disable=not errors.is_terminal
    ) as progress:
        task = progress.add_task("parts", total=None)

        def told(part: Part) -> None:
            compared.append(part)
            progress.advance(task)

        models = read_models(options.target)
        with closing(connect(connection_parameters(options.target))) as session:
            differences = compare(session, models, night, told)
    for difference in differences:
        sys.stdout.write(_described(difference))
    tampered = [found for found in differences if not found.pending]
    months = sum(part.lower is not None for part in compared)
    sys.stdout.write(
        f"{months} months and {len(compared) - months} tables compared with what a build would "
        f"make: {len(tampered)} differ.\n"
    )
    if tampered:
        sys.stdout.write(
            "\nSomebody changed these rows by hand, or a load ran during the last build. Bring "
            "back what was delivered, then check again:\n"
            + "".join(f"    {command}\n" for command in repair(differences, options.target))
        )
    return 1 if tampered else 0


def _described(found: Difference) -> str:
    if found.pending:
        return f"{found.part}: something newer is not built yet: dbt build\n"
    lines = [
        f"{found.part}: {found.missing:,} rows as delivered are missing, {found.extra:,} are there "
        "that no build would make"
    ]
    lines += [f"    {printable(sample)[:300]}" for sample in found.samples]
    return "\n".join(lines) + "\n"
