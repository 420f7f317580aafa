"""A page as somebody sees it: what is published and what is selected of it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from typing import Any

from dashboard import format as fmt
from dashboard import markup
from dashboard.data import Edition, Row
from dashboard.periods import Period, whole_months

# The filters: parameter of the URL -> label.
FILTERS = {
    "cadena": "Cadena",
    "region": "Región",
    "formato": "Formato",
    "categoria": "Categoría",
}

# Questions whose rows are days, of which a part may be compared.
BY_DAY = ("ventas_por_dia", "ventas_de_tienda")


@dataclass
class View:
    """What a page is drawn from.

    Attributes:
        page: Its name in the address.
        edition: What is published.
        cutoff: Last day of the data.
        period: The days selected.
        chosen: Filter -> what was selected, empty for all.
        options: Filter -> all that can be selected.
        own: Parameters of the page in the address.
        tables: What the page handed out so far, for the files.
    """

    page: str
    edition: Edition
    cutoff: datetime.date
    period: Period
    chosen: Mapping[str, list[str]]
    options: Mapping[str, list[str]]
    own: Mapping[str, str] = field(default_factory=dict)
    tables: list[markup.Table] = field(default_factory=list)

    def rows(self, name: str, **parameters: Any) -> list[Row]:
        """Ask a question about the selection.

        Args:
            name: Of a file in ``queries/``.
            parameters: Further ones, beside those of period and filters.
        """
        # A filter that nobody used holds every value.
        filters = {key: self.chosen[key] or self.options[key] for key in FILTERS}
        days: dict[str, Any] = {"tienda": None, "por_calendario": self.period.by_calendar}
        ranges = {"": (self.period.start, self.period.end), "antes_": self.period.before}
        for prefix, (start, end) in ranges.items():
            first, last = whole_months(start, end)
            days |= {f"{prefix}desde": start, f"{prefix}hasta": end}
            days |= {f"{prefix}meses_desde": first, f"{prefix}meses_hasta": last}
        rows = self.edition.rows(name, **days | filters | parameters)
        return rows if name in BY_DAY else self.comparable(rows)

    def comparable(self, rows: list[Row], start: datetime.date | None = None) -> list[Row]:
        """Rows without their sums of the year before, if the data do not hold all of its days.

        A part of a year before would be growth that nobody had (``tiene_anterior`` of
        ``mv_kpi_periodos``).

        Args:
            rows: With sums of the year before (``_antes``).
            start: The first day of the rows, by default the period's.
        """
        if self._compares(start or self.period.start):
            return rows
        return [
            {key: None if key.endswith("_antes") else value for key, value in row.items()}
            for row in rows
        ]

    def _compares(self, start: datetime.date) -> bool:
        first: datetime.date = self.edition.rows("datos")[0]["primera_venta"]
        return self.period.year_before(start) >= first

    @property
    def gap(self) -> str:
        """Why the period is compared with nothing; empty, if it is compared."""
        if self._compares(self.period.start):
            return ""
        first = fmt.day(self.edition.rows("datos")[0]["primera_venta"])
        return f"Los datos empiezan el {first}: falta parte del año anterior."

    def choice(self, parameter: str, choices: Mapping[str, Any]) -> str:
        """Which of the choices of a page is made: the first, if none or an unknown one."""
        value = self.own.get(parameter, "")
        return value if value in choices else next(iter(choices))

    def table(self, what: markup.Table, *, css: str = "") -> str:
        """A table that is also in the files."""
        self.keep(what)
        return markup.table(what, css=css)

    def keep(self, what: markup.Table) -> None:
        """Put into the files what the page shows as a drawing."""
        self.tables.append(what)

    def dictionary(self) -> dict[tuple[str, str], str]:
        """Relation and column -> the data dictionary's text."""
        return {
            (row["relacion"], row["columna"]): row["descripcion"]
            for row in self.edition.rows("definiciones")
            if row["descripcion"]
        }

    def heading(self, title: str, lead: str = "", *, dated: bool = True) -> str:
        """Title of the page, what it is about, and how fresh it is.

        Args:
            title: Its name.
            lead: What there is to see, as HTML.
            dated: Whether it is about the period.
        """
        where = [name for values in self.chosen.values() for name in values]
        kicker = " · ".join([*([self.period.text] if dated else []), *where])
        text = f'<p class="entrada">{lead}</p>' if lead else ""
        return (
            f'<header class="portada"><p class="antetitulo">{escape(kicker)}</p>'
            f"<h1>{escape(title)}</h1>{text}"
            f'<p class="frescura">{escape(self.freshness())}</p></header>'
        )

    def freshness(self) -> str:
        """How far the data reach, and what share of a full world they are."""
        facts = self.edition.rows("datos")[0]
        text = f"Datos al {fmt.day(self.cutoff)}"
        if facts["muestra"]:
            text += f", muestra del {_share(facts['muestra'])}"
        if self.edition.building:
            text += " · construcción en curso: unas cifras pueden ser más nuevas que otras"
        return text


def _share(value: Decimal) -> str:
    """A small share without needless zeros: 1 %, 0.5 %."""
    return f"{(value * 100).normalize():f} %"


def total(rows: Iterable[Row], key: str) -> Any:
    """The sum of a column; None if no row has a value."""
    values = [row[key] for row in rows if row[key] is not None]
    return sum(values) if values else None


def grouped(rows: Sequence[Row], by: Callable[[Row], Any], keys: Sequence[str]) -> list[Row]:
    """Sums of some columns by group, the largest of the first column first.

    Args:
        rows: Rows of a finer grain.
        by: The group of a row.
        keys: Additive columns; the group stands in ``grupo``.
    """
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(by(row), []).append(row)
    sums = [
        {"grupo": group, **{key: total(members, key) for key in keys}}
        for group, members in groups.items()
    ]
    return sorted(sums, key=lambda row: -(row[keys[0]] or 0))
