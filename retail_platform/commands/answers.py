"""Prints the answers to the four business questions and what the seed's statements return.

With names, any other question of analyses/ instead, for example: retail answers margen_categoria.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from psycopg2.extensions import connection
from rich.console import Console

from retail_platform.errors import UserError
from retail_platform.postgres.connection import connect
from retail_platform.project import require_project
from retail_platform.reporting.answers import (
    Question,
    ask,
    find_questions,
    read_questions,
    to_markdown,
    to_sheet,
    to_table,
)
from retail_platform.reporting.spreadsheets import csv_bytes, workbook
from retail_platform.targets import connection_parameters


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, ask, and print or write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="files of analyses/ and analyses/ad_hoc/"
    )
    parser.add_argument("--target", default="local", help="a target of profiles.yml")
    parser.add_argument(
        "--format",
        choices=("table", "markdown", "csv", "xlsx"),
        default="table",
        help="csv and xlsx hold all rows (table)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="PATH",
        help="csv: a file for one answer, a folder for several; xlsx: a file, a sheet each",
    )
    parser.add_argument("--rows", type=int, default=8, help="rows to show of a table (8)")
    parser.add_argument("--markdown", action="store_true", help="the same as --format markdown")
    options = parser.parse_args(argv)
    if options.markdown:
        options.format = "markdown"

    groups = _groups(require_project() / "analyses", options.names)
    questions = [question for _, group in groups for question in group]
    if options.format in ("csv", "xlsx"):
        _check_output(options.format, options.output, len(questions))
        with closing(connect(connection_parameters(options.target))) as session:
            return _write(session, questions, options.format, options.output)
    if options.output:
        parser.error("--output is for --format csv and xlsx; send what is printed on by `>`")
    # Piped output has no terminal to fit into: wide enough for every column.
    console = Console() if sys.stdout.isatty() else Console(width=160)
    with closing(connect(connection_parameters(options.target))) as session:
        for heading, group in groups:
            if heading:
                console.print(f"\n[bold]{heading}[/bold]\n")
            for question in group:
                answer = ask(session, question)
                if options.format == "markdown":
                    print(f"\n**{question.title}** ({answer.milliseconds:.2f} ms)\n")
                    print(to_markdown(answer, options.rows))
                else:
                    console.print(to_table(answer, options.rows), "")
    return 0


def _groups(folder: Path, names: Sequence[str]) -> list[tuple[str, list[Question]]]:
    """What to ask, under which heading."""
    if names:
        return [("", find_questions(folder, names))]
    questions, seed_statements = read_questions(folder)
    return [
        ("The four business questions", questions),
        ("The seed's own statements, verbatim", seed_statements),
    ]


def _check_output(kind: str, output: Path | None, answers: int) -> None:
    """Refuse, before anything is asked, a place that cannot hold the answers."""
    if kind == "xlsx":
        if output is None:
            raise UserError("--format xlsx needs --output FILE.xlsx: a workbook is no text.")
        try:
            import xlsxwriter  # noqa: F401
        except ModuleNotFoundError:
            raise UserError(
                "--format xlsx needs the package xlsxwriter, of the extra [dashboard]. Install it: "
                "make .venv/.installed-dashboard (outside a checkout: pip install "
                "'retail-analytics-platform[dashboard]'). --format csv needs nothing."
            ) from None
    elif answers > 1 and (output is None or output.is_file()):
        raise UserError(
            f"--format csv: {answers} answers do not fit into one table. Name one question "
            "(retail answers q1_ventas_diarias --format csv), or a folder: --output FOLDER."
        )


def _write(
    session: connection, questions: Sequence[Question], kind: str, output: Path | None
) -> int:
    """Ask, and write the answers where they go."""
    sheets = [to_sheet(ask(session, question, repeats=1)) for question in questions]
    files: dict[Path, bytes] = {}
    if kind == "xlsx" and output:
        files[output] = workbook(sheets)
    elif output is None:
        sys.stdout.buffer.write(csv_bytes(sheets[0]))
    elif len(sheets) == 1 and not output.is_dir():
        files[output] = csv_bytes(sheets[0])
    else:
        files = {output / f"{sheet.name}.csv": csv_bytes(sheet) for sheet in sheets}
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror}.") from None
        print(path)
    return 0
