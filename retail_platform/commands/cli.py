"""The console command ``retail``: finds the command and hands the rest of the line to it.

A command's module is imported when it is called, so that help is quick and a package that is not
installed is missed only by the command that needs it.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from retail_platform.errors import UserError, report_user_errors
from retail_platform.project import VARIABLE

DISTRIBUTION = "retail-analytics-platform"

# The name is the module's.
COMMANDS = {
    "generate": "simulate the retail chain's data into files",
    "load": "load files into a target, or check or report on them",
    "daily": "the daily run: load what arrived, build what changed, check, report",
    "check": "compare what is published with what a build would make of the deliveries",
    "db": "start, stop and show the embedded PostgreSQL; open psql on a target",
    "citus": "start and stop a Citus cluster for development",
    "answers": "print the answers to the four business questions",
    "report": "write the dashboard's first page into one HTML file",
    "backup": "dump what no build can make again",
    "restore": "bring such a dump into an empty database",
    "export": "copy what is published into Parquet files, change by change",
    "lake": "ask such a copy with DuckDB",
    "warehouse": "write the SQL that makes a warehouse of such a copy",
    "metrics": "list the metrics, or answer a question by them",
    "roles": "create the database roles and their privileges",
    "bench": "measure the platform",
    "docs": "repair the data dictionary's page, draw diagram and pictures, renew samples of output",
    "install": "install a lock with pip and say how far it is",
    "options": "check the settings of make before anything is installed",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the name of the command and run it."""
    parser = argparse.ArgumentParser(
        prog="retail",
        description="Retail analytics on PostgreSQL.",
        epilog="commands:\n" + "\n".join(f"  {name:10} {text}" for name, text in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version(DISTRIBUTION))
    parser.add_argument(
        "--project-dir",
        type=Path,
        metavar="FOLDER",
        help="the dbt project, for commands that need it outside of a checkout",
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its own; see COMMAND --help")
    options = parser.parse_args(argv)
    if options.project_dir:
        # By environment, so that the processes that a command starts know it too.
        os.environ[VARIABLE] = str(options.project_dir.resolve())
    return run(options.command, options.arguments, prog=f"retail {options.command}")


def run(name: str, argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run a command.

    Args:
        name: One of `COMMANDS`.
        argv: Its command line, default that of the process.
        prog: How its help calls it, default the name of the program.

    Returns:
        The exit code.
    """
    if prog:  # where argparse takes it from, in whatever command
        sys.argv[0] = prog
    return report_user_errors(lambda: _run(name, argv))


def _run(name: str, argv: Sequence[str] | None) -> int | None:
    """Import a command's module and call its ``main``.

    Raises:
        UserError: A package that it needs is not installed.
    """
    try:
        main: Callable[[Sequence[str] | None], int | None]
        main = import_module(f"retail_platform.commands.{name}").main
        return main(argv)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "retail_platform":
            raise
        raise UserError(
            f"'retail {name}' needs the package {missing}, which is not installed. Install the "
            "locked packages (make install; for the open copy make export, for metrics make "
            "metrics, for the dashboard's page make report), or everything: "
            f"pip install '{DISTRIBUTION}[dev,export,metrics,dashboard]'."
        ) from None
