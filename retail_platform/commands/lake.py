"""Ask a copy of what is published with DuckDB: statements as arguments, or from standard input.

Everything is named as in PostgreSQL (retail.fact_ventas); keys and files of the copy are in
copia.claves and copia.archivos.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from retail_platform.errors import UserError
from retail_platform.export.lake import mirror, open_lake
from retail_platform.export.stores import open_store


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, open the copy, and answer."""
    options = _parser().parse_args(argv)
    store = open_store(options.of)
    if store.folder is None:
        store = mirror(store, options.local)
    if options.save and options.save.exists():
        raise UserError(f"{options.save} exists. Delete it, or give another name.")
    session = open_lake(store, str(options.save) if options.save else ":memory:")
    if options.save:
        print(f"{options.save}: views on the files of {store.shown}")
        return 0
    for statement in options.statements or _typed():
        try:
            answer = session.sql(statement)
        except duckdb.Error as error:
            if not sys.stdin.isatty() or options.statements:
                raise UserError(f"SQL of DuckDB: {error}") from None
            print(f"SQL of DuckDB: {error}")
        else:
            if answer is not None:
                answer.show(max_rows=options.rows)
    return 0


def _typed() -> Iterator[str]:
    """Statements of standard input, each up to its semicolon."""
    if sys.stdin.isatty():
        print("DuckDB on the open copy. A statement ends with a semicolon; Ctrl-D ends.")
    statement = ""
    while True:
        try:
            statement += input(("   ... " if statement else "lake=> ") * sys.stdin.isatty()) + "\n"
        except EOFError:
            break
        if statement.rstrip().endswith(";"):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--of", required=True, metavar="PLACE", help="as --to of retail export")
    parser.add_argument(
        "--local",
        type=Path,
        default=Path("copia-local"),
        metavar="FOLDER",
        help="where the files of a bucket are kept on this machine (%(default)s)",
    )
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="make a DuckDB database of views for other tools; they name files, so save it again "
        "after each export",
    )
    parser.add_argument(
        "--rows", type=int, default=40, metavar="N", help="rows shown (%(default)s)"
    )
    parser.add_argument("statements", nargs="*", metavar="SQL", help="SQL of DuckDB")
    return parser
