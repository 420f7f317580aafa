"""Load files of products, stores, sales, returns and inventory into a target, or check them.

Every row ends up in a raw table of schema staging or in cuarentena.filas_archivo with a reason.
A file that was loaded before is left out; a killed load can simply be repeated.
"""

import argparse
import logging
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from retail_platform.errors import TEMPORARY, USER_ERROR
from retail_platform.loading import (
    DateWindow,
    FileMapping,
    FileReport,
    LoadError,
    LoadReport,
    Settings,
    check_folder,
    load_folder,
    read_mapping,
)
from retail_platform.loading.errors import CATALOGUE_REFUSED
from retail_platform.progress import Milestones
from retail_platform.reporting.deliveries import gate_report
from retail_platform.reporting.rendering import (
    GateReport,
    Section,
    delivery_sections,
    to_html,
    to_terminal,
)
from retail_platform.targets import connection_parameters
from retail_platform.text import shown_path


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and load, check or report; 1 if something was refused."""
    parser = _parser()
    options = parser.parse_args(argv)
    if not options.source and not options.report:
        parser.error("nothing to do: give files or folders, or --report")
    if options.html and not options.report:
        parser.error("--html belongs to --report")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    delivered = _deliver(options) if options.source else None
    report = _report(options, delivered) if options.report else None
    if delivered and any(file.temporary for file in delivered.failed):
        return TEMPORARY
    if (report and not report.accounted) or (delivered and delivered.failed):
        return USER_ERROR
    return CATALOGUE_REFUSED if report and report.catalogue_refused else 0


def _deliver(options: argparse.Namespace) -> LoadReport:
    """Load or check the sources."""
    settings = Settings(
        window=DateWindow(options.first_date, options.last_date),
        max_rejected=options.max_rejected,
        workers=options.workers,
        mapping=read_mapping(options.mapping) if options.mapping else FileMapping(),
    )
    errors = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed} files"), TimeElapsedColumn())
    with Progress(
        *columns, console=errors, transient=True, disable=not errors.is_terminal
    ) as progress:
        task = progress.add_task("files", total=None)
        milestones = Milestones("Loading", "files", None)

        def advance(_file: FileReport) -> None:
            progress.advance(task)
            if progress.disable:
                milestones.reach(int(progress.tasks[task].completed))

        if options.check:
            report = check_folder(options.source, settings, advance)
        else:
            parameters = connection_parameters(options.target)
            report = load_folder(options.source, parameters, settings, advance)
    _print(delivery_sections(report))
    for file in report.failed:
        sys.stderr.write(f"refused {shown_path(file.file.path)}: {file.error}\n")
    return report


def _report(options: argparse.Namespace, delivered: LoadReport | None) -> GateReport:
    """Print the state of all deliveries.

    Raises:
        LoadError: The page cannot be written; the report was printed before.
    """
    report = gate_report(connection_parameters(options.target))
    _print(report.sections)
    if options.html:
        now = delivery_sections(delivered) if delivered else ()
        try:
            page = to_html(GateReport((*now, *report.sections)))
            options.html.write_text(page, encoding="utf-8")
        except OSError as error:
            raise LoadError(
                f"the report cannot be written to {options.html}: {error.strerror}; choose another "
                "place for --html"
            ) from error
    return report


def _print(sections: Iterable[Section]) -> None:
    # Piped output has no terminal to fit into: wide enough for every column.
    console = Console(highlight=False) if sys.stdout.isatty() else Console(width=200)
    for renderable in to_terminal(sections):
        console.print(renderable)


def _parser() -> argparse.ArgumentParser:
    defaults = Settings()
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"exit codes: 0, {USER_ERROR} if a file was refused or a row is unaccounted for, "
        f"{CATALOGUE_REFUSED} if rows of\na catalogue were refused, {TEMPORARY} if the server or "
        "the connection failed: the same again may work",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", nargs="*", type=Path, help="files or folders")
    parser.add_argument("--target", default="local", help="target of profiles.yml")
    parser.add_argument(
        "--check", action="store_true", help="validate and report without loading or connecting"
    )
    parser.add_argument(
        "--report",
        action="store_true",
        help="print the state of all deliveries; exit code 1 if a row is unaccounted for, "
        "3 if rows of a catalogue were refused",
    )
    parser.add_argument("--html", type=Path, help="with --report: write it as an HTML page too")
    parser.add_argument(
        "--mapping", type=Path, help="YAML file with a retailer's names and formats"
    )
    parser.add_argument(
        "--workers", type=int, default=defaults.workers, help="files at a time (%(default)s)"
    )
    parser.add_argument(
        "--max-rejected",
        type=float,
        default=defaults.max_rejected,
        help="largest share of refused rows with which a file is loaded (%(default)s)",
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
    return parser
