"""Reports as tables: for a terminal, and as one HTML page."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import jinja2
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from retail_platform.loading.loader import LoadReport
from retail_platform.text import printable, shown_name, shown_path

_EXAMPLE_CHARACTERS = 60
_PAGE = Path(__file__).with_name("deliveries.html.j2")


@dataclass(frozen=True)
class Section:
    """One table of the report.

    Attributes:
        title: Heading.
        note: What it says, or why it is empty.
        columns: Headings of the columns.
        rows: Values.
        broken: Whether it shows rows that are unaccounted for.
        refused: Whether it shows rows of a catalogue that were refused.
    """

    title: str
    note: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    broken: bool = False
    refused: bool = False


@dataclass(frozen=True)
class GateReport:
    """The whole report.

    Attributes:
        sections: Its tables, in order.
    """

    sections: tuple[Section, ...]

    @property
    def accounted(self) -> bool:
        """Whether every delivered row is in one place."""
        return not any(section.broken for section in self.sections)

    @property
    def catalogue_refused(self) -> bool:
        """Whether a row of a catalogue was refused, so that an older one is published, or none."""
        return any(section.refused for section in self.sections)


def delivery_sections(report: LoadReport) -> tuple[Section, ...]:
    """What became of a delivery: rows by table and fate, and refusals by reason."""
    totals: dict[tuple[str, str], Counter[str]] = {}
    for file in report.files:
        totals.setdefault((file.file.table.name, file.state.value), Counter()).update(
            files=1,
            delivered=file.tally.delivered,
            accepted=file.tally.accepted,
            refused=file.tally.rejected,
            replaced=file.replaced,
        )
    counts = ("files", "delivered", "accepted", "refused", "replaced")
    speed = f"{report.rows:,} rows in {report.seconds:.1f} s"
    if report.rows:
        speed += f": {report.rows / report.seconds:,.0f} rows/s"
    sections = [
        Section(
            "Delivery",
            speed,
            ("table", "fate", *counts),
            tuple((*key, *(total[name] for name in counts)) for key, total in totals.items()),
        )
    ]
    if report.reasons:
        rows = tuple(
            (reason, refusals, _example(report, reason))
            for reason, refusals in report.reasons.most_common()
        )
        note = "What the reasons mean: docs/load-gate.md. A row can have several."
        sections.append(Section("Refusals", note, ("reason", "refusals", "first example"), rows))
    if report.failed:
        refused = tuple((shown_path(file.file.path), file.error) for file in report.failed)
        note = "Nothing of these files was kept. Correct what is said and load them again."
        sections.append(Section("Files refused", note, ("file", "why"), refused))
    moved = tuple(
        (shown_name(file.file.path.name), f"{month:%Y-%m}", rows)
        for file in report.files
        for month, rows in sorted(file.moved.items())
    )
    if moved:
        note = "These files deliver keys that were in other months: the earlier rows are replaced."
        columns = ("file", "month before", "rows replaced")
        sections.append(Section("Moved from other months", note, columns, moved))
    if report.passed_over:
        note = "What is in the folders and was not loaded. Hidden names (.x) are not looked at."
        others = tuple((shown_path(one.path), one.reason) for one in report.passed_over)
        sections.append(Section("Passed over", note, ("path", "why"), others))
    return tuple(sections)


def _example(report: LoadReport, reason: str) -> str:
    file = next(file for file in report.files if reason in file.tally.examples)
    row, column, text = file.tally.examples[reason]
    where = f"{shown_name(file.file.path.name)} row {row}, {column or 'whole row'}"
    return f"{where}: {(text or '(empty)')[:_EXAMPLE_CHARACTERS]}"


def shown(value: object) -> str:
    """A value as people read it."""
    match value:
        case None:
            return ""
        case int() | Decimal():
            return f"{value:,}"
        case _:
            return printable(str(value))


def to_terminal(sections: Iterable[Section]) -> Iterator[RenderableType]:
    """Sections for a terminal: heading, note and table of each."""
    for section in sections:
        yield Text(
            f"\n{section.title}", style="bold red" if section.broken or section.refused else "bold"
        )
        yield Text(section.note)
        if section.rows:
            table = Table(box=None)
            for name, right in zip(section.columns, _numeric(section), strict=True):
                table.add_column(name, justify="right" if right else "left", overflow="fold")
            for row in section.rows:
                table.add_row(*(escape(shown(value)) for value in row))
            yield table


def _numeric(section: Section) -> Sequence[bool]:
    """Whether each column holds numbers."""
    return [
        all(isinstance(value, (int, Decimal, type(None))) for value in column)
        for column in zip(*section.rows, strict=True)
    ]


def to_html(report: GateReport) -> str:
    """The report as one HTML page without any other file."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True)
    environment.filters["shown"] = shown
    return environment.from_string(_PAGE.read_text(encoding="utf-8")).render(report=report)
