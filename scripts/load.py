"""Load files of products, stores, sales, returns and inventory into a target, or check them.

Every row ends up in a raw table of schema staging or in cuarentena.filas_archivo with a reason.
A file that was loaded before is left out; a killed load can simply be repeated.
"""

import argparse
import logging
import sys
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from retail_platform.errors import report_user_errors
from retail_platform.loading import (
    DateWindow,
    FileMapping,
    LoadReport,
    Settings,
    State,
    check_folder,
    find_files,
    load_folder,
    read_mapping,
)
from retail_platform.targets import connection_parameters


def main() -> int:
    """Parse the command line and load or check; 1 if a file was refused."""
    defaults = Settings()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="+", type=Path, help="files or folders")
    parser.add_argument("--target", default="local", help="target of profiles.yml")
    parser.add_argument(
        "--mapping", type=Path, help="YAML file with a retailer's names and formats"
    )
    parser.add_argument(
        "--check", action="store_true", help="validate and report without loading or connecting"
    )
    parser.add_argument(
        "--workers", type=int, default=defaults.workers, help="files at a time (%(default)s)"
    )
    parser.add_argument(
        "--max-rejected",
        type=float,
        default=defaults.max_rejected,
        help="largest share of rejected rows with which a file is loaded (%(default)s)",
    )
    parser.add_argument(
        "--first-date",
        type=date.fromisoformat,
        default=defaults.window.first,
        help="earliest date accepted (%(default)s)",
    )
    parser.add_argument(
        "--last-date",
        type=date.fromisoformat,
        default=defaults.window.last,
        help="latest date accepted (default: tomorrow)",
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")

    settings = Settings(
        window=DateWindow(options.first_date, options.last_date),
        max_rejected=options.max_rejected,
        workers=options.workers,
        mapping=read_mapping(options.mapping) if options.mapping else FileMapping(),
    )
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("files", total=len(find_files(options.source, settings.mapping)))

        def advance(_report: object) -> None:
            progress.advance(task)

        if options.check:
            report = check_folder(options.source, settings, advance)
        else:
            report = load_folder(
                options.source, connection_parameters(options.target), settings, advance
            )
    _print_report(report)
    return 1 if report.failed else 0


def _print_report(report: LoadReport) -> None:
    """Print rows and fate by table, then every refused file with its reason."""
    summary = Table(box=None)
    for heading in ("table", "fate", "files", "delivered", "accepted", "rejected", "replaced"):
        summary.add_column(heading, justify="left" if heading in ("table", "fate") else "right")
    groups: dict[tuple[str, State], list] = {}
    for file in report.files:
        groups.setdefault((file.file.table.name, file.state), []).append(file)
    for (table, state), files in groups.items():
        sums = (
            len(files),
            sum(file.tally.delivered for file in files),
            sum(file.tally.accepted for file in files),
            sum(file.tally.rejected for file in files),
            sum(file.replaced for file in files),
        )
        summary.add_row(table, state.value, *(f"{value:,}" for value in sums))
    console = Console(highlight=False)
    console.print(summary)
    if report.rows:
        console.print(
            f"{report.rows:,} rows in {report.seconds:.1f} s: "
            f"{report.rows / report.seconds:,.0f} rows/s"
        )
    refused = Table(box=None)
    for heading in ("reason", "refusals", "first example"):
        refused.add_column(heading, justify="right" if heading == "refusals" else "left")
    for reason, rows in report.reasons.most_common():
        file = next(file for file in report.files if reason in file.tally.examples)
        row, column, text = file.tally.examples[reason]
        refused.add_row(
            reason,
            f"{rows:,}",
            escape(
                f"{file.file.path.name} row {row}, {column or 'whole row'}: {(text or '')[:60]}"
            ),
        )
    if report.reasons:
        console.print(refused)
    for file in report.failed:
        sys.stderr.write(f"refused {file.file.path}: {file.error}\n")


if __name__ == "__main__":
    sys.exit(report_user_errors(main))
