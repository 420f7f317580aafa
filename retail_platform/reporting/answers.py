"""Asks the four business questions, and the seed's own four statements, and times them.

The SQL lives in ``analyses/``: one file per question (``q1_*.sql`` ... ``q4_*.sql``) and
``seed_statements.sql`` with the statements that the platform promises to run verbatim.
"""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import sqlparse
from psycopg2.extensions import connection
from rich.console import Group
from rich.table import Table
from rich.text import Text

from retail_platform.errors import UserError
from retail_platform.reporting.statements import expect_built, explain, milliseconds, render


@dataclass(frozen=True)
class Question:
    """One statement to run.

    Attributes:
        title: What it asks, from the first line of its comment.
        statement: SQL.
        name: Of its file, with a number if the file holds several.
    """

    title: str
    statement: str
    name: str = ""

    @property
    def sql(self) -> str:
        """The statement without its comments."""
        return str(sqlparse.format(self.statement, strip_comments=True)).strip()


@dataclass(frozen=True)
class Answer:
    """The result of one statement.

    Attributes:
        question: What was asked.
        columns: Column names, in order.
        rows: All rows.
        milliseconds: Planning and execution in the server, median of the runs.
    """

    question: Question
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    milliseconds: float


def read_statements(path: Path) -> list[Question]:
    """Read a file of SQL statements, each with a comment above it.

    Args:
        path: An analysis.
    """
    statements = [statement.strip().rstrip(";") for statement in sqlparse.split(render(path))]
    found = [Question(_title(statement, path), statement, path.stem) for statement in statements]
    found = [question for question in found if question.sql]
    if len(found) == 1:
        return found
    return [
        replace(question, name=f"{path.stem}_{number}")
        for number, question in enumerate(found, start=1)
    ]


def _title(statement: str, path: Path) -> str:
    """The first sentence of the comment above the statement, which may go over several lines."""
    words = []
    for line in statement.splitlines():
        if not line.lstrip().startswith("--"):
            break
        words.append(line.strip("- \t"))
        if line.rstrip().endswith((".", "?")):
            break
    return " ".join(words) or path.stem


def read_questions(folder: Path) -> tuple[list[Question], list[Question]]:
    """Read the questions.

    Args:
        folder: The project's ``analyses``.

    Returns:
        The four business questions against the views (not the variants on the fact), and the
        seed's statements.

    Raises:
        UserError: If the folder does not hold them.
    """
    files = [path for path in sorted(folder.glob("q[1-4]_*.sql")) if "_fact" not in path.stem]
    seed = folder / "seed_statements.sql"
    if len(files) != 4 or not seed.is_file():
        raise UserError(f"{folder} does not hold q1_*.sql to q4_*.sql and seed_statements.sql.")
    return [question for path in files for question in read_statements(path)], read_statements(seed)


def find_questions(folder: Path, names: Sequence[str]) -> list[Question]:
    """Read questions by their names.

    Args:
        folder: The project's ``analyses``.
        names: Of files in it or in its ``ad_hoc``, without ``.sql``.

    Raises:
        UserError: If there is none of a name; all names are listed.
    """
    files = {path.stem: path for path in sorted(folder.rglob("*.sql"))}
    unknown = [name for name in names if name not in files]
    if unknown:
        raise UserError(
            f"No question is called {', '.join(unknown)}. Allowed: {', '.join(sorted(files))}."
        )
    return [question for name in names for question in read_statements(files[name])]


def ask(session: connection, question: Question, repeats: int = 5) -> Answer:
    """Run a statement once for its rows, then a few times for its time.

    Args:
        session: A session with the right to read schema ``retail``.
        question: What to run.
        repeats: Number of timed runs.

    Raises:
        UserError: If the database is not built, or the statement is wrong.
    """
    try:
        with expect_built(), session, session.cursor() as cursor:
            cursor.execute(question.statement)
            columns = tuple(column.name for column in cursor.description or ())
            rows = cursor.fetchall()
            plans = [explain(session, question.statement) for _ in range(repeats)]
    except psycopg2.Error as error:
        raise UserError(f"'{question.title}' failed: {str(error).strip()}") from None
    return Answer(question, columns, rows, statistics.median(map(milliseconds, plans)))


def to_table(answer: Answer, limit: int = 10) -> Group:
    """Lay an answer out for a terminal.

    Args:
        answer: What to show.
        limit: Rows to show; the caption says how many there are.
    """
    shown = min(limit, len(answer.rows))
    table = Table(
        caption=f"{shown} of {len(answer.rows)} rows; {answer.milliseconds:.2f} ms in the server",
        caption_justify="left",
    )
    for index, name in enumerate(answer.columns):
        numeric = any(isinstance(row[index], int | float | Decimal) for row in answer.rows)
        table.add_column(name, justify="right" if numeric else "left")
    for row in answer.rows[:limit]:
        table.add_row(*(_cell(value) for value in row))
    # Above the table, not its title: a title is cut to the width of a narrow table.
    return Group(Text(answer.question.title, style="italic"), table)


def to_markdown(answer: Answer, limit: int = 5) -> str:
    """Lay an answer out as a Markdown table, for documents.

    Args:
        answer: What to show.
        limit: Rows to show.
    """

    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cells)} |"

    head = [line(answer.columns), line("---" for _ in answer.columns)]
    return "\n".join(head + [line(map(_cell, row)) for row in answer.rows[:limit]])


@dataclass(frozen=True)
class SheetColumn:
    """A column of a `Sheet`; kind as in `spreadsheets`."""

    key: str
    title: str
    kind: str


@dataclass(frozen=True)
class Sheet:
    """An answer as a table of `spreadsheets`: all rows."""

    name: str
    columns: Sequence[SheetColumn]
    rows: Sequence[Mapping[str, Any]]


def to_sheet(answer: Answer) -> Sheet:
    """Lay an answer out for a file.

    Args:
        answer: What to write; all of its rows are.
    """
    columns = [
        SheetColumn(name, name, _kind([row[place] for row in answer.rows]))
        for place, name in enumerate(answer.columns)
    ]
    rows = [
        {
            name: _cell(value) if isinstance(value, bool) else value
            for name, value in zip(answer.columns, row, strict=True)
        }
        for row in answer.rows
    ]
    return Sheet(answer.question.name, columns, rows)


def _kind(values: Iterable[Any]) -> str:
    """How the values of a column are written, by the first that is not null."""
    match next((value for value in values if value is not None), None):
        case bool():
            return "text"
        case int():
            return "integer"
        case Decimal() | float():
            return "number"
        case datetime.datetime():
            return "moment"
        case datetime.date():
            return "date"
        case _:
            return "text"


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "sí" if value else "no"
        case Decimal() | float():
            return f"{value:,.2f}"
        case int():
            return f"{value:,}"
        case datetime.date():
            return value.isoformat()
        case _:
            return str(value)
