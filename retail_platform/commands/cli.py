"""The console command ``retail``: finds the command and hands the rest of the line to it.

A command's module is imported when it is called, so that help is quick and a package that is not
installed is missed only by the command that needs it.
"""

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module

from retail_platform.errors import report_user_errors

# The name is the module's.
COMMANDS = {
    "generate": "simulate the retail chain's data into files",
    "load": "load files into a target, or check or report on them",
    "daily": "the daily run: load what arrived, build what changed, check, report",
    "db": "start, stop and show the embedded PostgreSQL; open psql on a target",
    "answers": "print the answers to the four business questions",
    "roles": "create the database roles and their privileges",
    "bench": "measure the platform",
    "bench_load": "measure",
    "docs": "repair the data dictionary's page, draw the ER diagram",
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
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its own; see COMMAND --help")
    options = parser.parse_args(argv)
    return run(options.command, options.arguments)


def run(name: str, argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        name: One of `COMMANDS`.
        argv: Its command line, default that of the process.

    Returns:
        The exit code.
    """
    return report_user_errors(lambda: _load(name)(argv))


def _load(name: str) -> Callable[[Sequence[str] | None], int | None]:
    """The ``main`` of a command's module."""
    main: Callable[[Sequence[str] | None], int | None]
    main = import_module(f"retail_platform.commands.{name}").main
    return main
