"""Tables as CSV and as an Excel workbook: of the dashboard's pages, and of the answers."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_FORMATS = {
    "integer": "#,##0",
    "decimal": "#,##0.0",
    "number": "#,##0.00",
    "money": '"$"#,##0',
    "short": '"$"#,##0',
    "cents": '"$"#,##0.00',
    "percent": "0.0%",
    "change": "+0.0%;-0.0%;0.0%",
    "date": "yyyy-mm-dd",
    "moment": "yyyy-mm-dd hh:mm",
}
# A text that a spreadsheet would compute.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Column(Protocol):
    """A column: its key in the row, its heading, how its values are written."""

    @property
    def key(self) -> str:
        """Of the row."""

    @property
    def title(self) -> str:
        """Heading."""

    @property
    def kind(self) -> str:
        """A key of the formats above; anything else is text."""


class Table(Protocol):
    """A table: the name of its sheet, its columns, its rows."""

    @property
    def name(self) -> str:
        """Of its file and sheet."""

    @property
    def columns(self) -> Sequence[Column]:
        """In order."""

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """All of them."""


def csv_bytes(table: Table) -> bytes:
    """A table as CSV: UTF-8 with the mark by which Excel knows it, full precision."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.title for column in table.columns])
    for row in table.rows:
        writer.writerow([_plain(row.get(column.key)) for column in table.columns])
    return out.getvalue().encode("utf-8-sig")


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return round(value, 6) if isinstance(exponent, int) and exponent < -6 else value
    return value


def workbook(tables: Sequence[Table]) -> bytes:
    """Tables as sheets of one workbook, numbers as numbers."""
    import xlsxwriter  # only who downloads pays for it

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "remove_timezone": True}) as book:
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        formats = {kind: book.add_format({"num_format": text}) for kind, text in _FORMATS.items()}
        for table in tables:
            sheet = book.add_worksheet(table.name[:31])
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(table.columns):
                sheet.write_string(0, place, column.title, head)
                values = [row.get(column.key) for row in table.rows]
                for line, value in enumerate(values, start=1):
                    _write(sheet, line, place, value, formats.get(column.kind))
                longest = max([len(column.title), *(len(str(v or "")) for v in values[:200])])
                sheet.set_column(place, place, min(max(longest, 9), 42))
            sheet.autofilter(0, 0, max(len(table.rows), 1), max(len(table.columns) - 1, 0))
    return out.getvalue()


def _write(sheet: Any, line: int, place: int, value: Any, style: Any) -> None:
    if value is None:
        return
    if isinstance(value, datetime.date):
        sheet.write_datetime(line, place, value, style)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        sheet.write_number(line, place, float(value), style)
    else:
        sheet.write_string(line, place, str(value))
