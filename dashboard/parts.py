"""Parts that several pages have: sales over time and in figures."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from dashboard import charts, markup
from dashboard import format as fmt
from dashboard.data import Row
from dashboard.markup import Column, Stat, Table
from dashboard.periods import last_of, point_of, points
from dashboard.view import View, total

AGAINST = "contra el año anterior"
MEASURES = {
    "total_ventas": "Ventas",
    "ventas_netas": "Ventas netas",
    "numero_tickets": "Tickets",
    "ticket_promedio": "Ticket promedio",
    "margen_pct": "Margen",
}
# Measure -> sums that it is the ratio of.
RATIOS = {
    "ticket_promedio": ("total_ventas", "numero_tickets"),
    "margen_pct": ("margen", "ventas_netas"),
}
_KINDS = {"numero_tickets": "integer", "ticket_promedio": "cents", "margen_pct": "percent"}


def value_of(rows: Sequence[Row], measure: str, suffix: str = "") -> fmt.Number | None:
    """A measure of rows of sums.

    Args:
        rows: With the sums, and those of a year before (``_antes``).
        measure: Of `MEASURES`.
        suffix: ``_antes`` for the year before.
    """
    if measure in RATIOS:
        part, whole = (total(rows, f"{name}{suffix}") for name in RATIOS[measure])
        return fmt.ratio(part, whole)
    return total(rows, f"{measure}{suffix}")


def written(measure: str, value: fmt.Number | None) -> str:
    """A value of a measure, as short as it is read."""
    if measure in ("ticket_promedio", "numero_tickets", "margen_pct"):
        writers = {"cents": lambda v: fmt.money(v, 2), "integer": fmt.integer}
        return writers.get(_KINDS[measure], fmt.percent)(value)
    return fmt.short_money(value)


def compared(measure: str, rows: Sequence[Row], suffix: str = "_antes") -> str:
    """A measure against a year before or the plan: in percent, a share in points."""
    now, then = value_of(rows, measure), value_of(rows, measure, suffix)
    if measure != "margen_pct":
        return markup.delta(fmt.change(now, then))
    if now is None or then is None:
        return ""
    difference = Decimal(now) - Decimal(then)
    return markup.delta(difference, text=fmt.points(difference))


def planned(days: Sequence[Row]) -> bool:
    """Whether each store and day of the selection has a plan: that of a part would mislead."""
    stores, with_plan = total(days, "dias_tienda") or 0, total(days, "dias_tienda_plan") or 0
    return 0 < stores <= with_plan


def figures(view: View, days: list[Row]) -> str:
    """The figures beside the trend, each against the year before and the plan.

    Args:
        view: What is selected.
        days: Rows of ``ventas_por_dia``.
    """
    days, has_plan = view.comparable(days), planned(days)
    shown = [
        Stat(
            measure,
            written(measure, value_of(days, measure)),
            [
                compared(measure, days) if value_of(days, measure, "_antes") is not None else "",
                compared(measure, days, "_plan") if has_plan else "",
            ],
        )
        for measure in MEASURES
    ]
    shown.insert(1, _like_for_like(days))
    note = "" if has_plan else "Sin plan para toda la selección."
    return markup.piece(
        "El periodo en cifras",
        markup.scoreboard(
            shown,
            [markup.defined("contra", "Año anterior"), markup.defined("plan", "Plan")],
            "El periodo contra el año anterior y el plan",
        ),
        note=note,
    )


def _like_for_like(days: Sequence[Row]) -> Stat:
    """Growth of the stores that compare, and what it is made of.

    The plan is of other stores and of days of the same event: it is compared in the sales only.
    """
    grown = fmt.change(total(days, "ventas_mismas"), total(days, "ventas_mismas_antes"))
    visits = fmt.change(total(days, "tickets_mismas"), total(days, "tickets_mismas_antes"))
    below = ""
    if grown is not None and visits is not None:
        ticket = (1 + grown) / (1 + visits) - 1
        below = (
            '<span class="sub"><span class="junto">'
            f"tráfico {fmt.percent(visits, plus=True)} ·</span> "
            f'<span class="junto">ticket {fmt.percent(ticket, plus=True)}</span></span>'
        )
    return Stat("mismas_tiendas", fmt.percent(grown, plus=True), ["", ""], below)


@dataclass(frozen=True)
class _Stretch:
    """A point of the drawing: some days, and a measure of them now, a year before and planned."""

    start: datetime.date
    end: datetime.date
    now: fmt.Number | None
    then: fmt.Number | None
    plan: fmt.Number | None
    target: markup.Target


def _target(view: View, start: datetime.date, end: datetime.date) -> markup.Target:
    """What a click on a point shows: its days; of the month in course the period of this name."""
    if view.period.grain == "mes" and start.day == 1 and end == view.cutoff:
        return {"periodo": "mes", "desde": "", "hasta": ""}
    return {"desde": start.isoformat(), "hasta": end.isoformat()}


def _stretches(view: View, days: Sequence[Row], measure: str) -> list[_Stretch]:
    by_point: dict[datetime.date, list[Row]] = {point: [] for point in points(view.period)}
    for row in days:
        by_point[point_of(row["fecha"], view.period)].append(row)
    return [
        _Stretch(
            rows[0]["fecha"],
            rows[-1]["fecha"],
            value_of(rows, measure),
            value_of(view.comparable(rows, rows[0]["fecha"]), measure, "_antes"),
            value_of(rows, measure, "_plan") if planned(rows) else None,
            _target(view, rows[0]["fecha"], rows[-1]["fecha"]),
        )
        for rows in by_point.values()
    ]


def _named(stretch: _Stretch, grain: str) -> tuple[str, str]:
    """What stands under a point, and what it is in full."""
    start, end = stretch.start, stretch.end
    if grain == "mes":
        whole = start.day == 1 and end == last_of(start, grain)
        return fmt.short_month(start), fmt.month(start) if whole else fmt.span(start, end)
    if grain == "semana":
        return fmt.short_day(start), f"Semana del {fmt.short_day(start)} al {fmt.dated(end)}"
    return fmt.short_day(start), fmt.weekday(start)


def _point(stretch: _Stretch, measure: str, grain: str, labelled: bool) -> charts.Point:
    short, title = _named(stretch, grain)
    lines = [
        (MEASURES[measure], written(measure, stretch.now)),
        ("Año anterior", written(measure, stretch.then)),
    ]
    if stretch.plan is not None:
        lines.append(("Plan", written(measure, stretch.plan)))
    if measure != "margen_pct":
        lines.append(("Cambio", fmt.percent(fmt.change(stretch.now, stretch.then), plus=True)))
    return charts.Point(short if labelled else "", title, lines, stretch.target)


def _values(stretches: Sequence[_Stretch], measure: str, grain: str) -> Table:
    """What the drawing shows, as a table."""
    kind = _KINDS.get(measure, "money")
    rows = [
        {
            "desde": one.start,
            "hasta": one.end,
            "ahora": one.now,
            "antes": one.then,
            "plan": one.plan,
            "cambio": fmt.change(one.now, one.then),
            "ir": one.target,
        }
        for one in stretches
    ]
    first = Column(
        "desde", "Día" if grain == "día" else "Desde", "date", target=lambda row: row["ir"]
    )
    columns = [
        first,
        *([] if grain == "día" else [Column("hasta", "Hasta", "date")]),
        Column("ahora", MEASURES[measure], kind),
        Column("antes", "Año anterior", kind),
        Column("plan", "Plan", kind),
        *([] if kind == "percent" else [Column("cambio", "Cambio", "change")]),
    ]
    return Table("evolucion", f"{MEASURES[measure]} por {grain}", columns, rows)


def trend(view: View, days: Sequence[Row]) -> str:
    """The measure chosen over time, with last year behind it."""
    measure, grain = view.choice("medida", MEASURES), view.period.grain
    stretches = _stretches(view, days, measure)
    values = _values(stretches, measure, grain)
    view.keep(values)
    listed = markup.table(Table("", "", values.columns, values.rows))
    if len(stretches) > 1:
        labelled = charts.sparse(len(stretches))
        then = [None if one.then is None else float(one.then) for one in stretches]
        drawing = charts.trend(
            [_point(one, measure, grain, labelled(place)) for place, one in enumerate(stretches)],
            [None if one.now is None else float(one.now) for one in stretches],
            then if any(value is not None for value in then) else (),
            label=f"{values.title}, con el año anterior; los valores están en la tabla",
            write=lambda value: (
                fmt.percent(value, 1) if measure == "margen_pct" else written(measure, value)
            ),
            names=(MEASURES[measure], "Año anterior"),
        )
        listed = f"<details><summary>Ver los valores en una tabla</summary>{listed}</details>"
        listed = drawing + listed
    return markup.piece(
        values.title,
        listed,
        note=f"{markup.defined('contra', 'Comparación')}: {view.period.rule}. {view.gap}",
        tools=markup.tabs("medida", MEASURES, measure, "Qué se dibuja"),
    )


ALERTS = {
    "SIN_STOCK": ("Sin stock", "mal"),
    "STOCK_BAJO": ("Stock bajo", "mal"),
    "SOBRESTOCK": ("Sobrestock", ""),
    "NORMAL": ("Normal", "bien"),
}


def alert(row: Row) -> str:
    """The state of a product in a store, in words that people use."""
    text, mood = ALERTS[row["alerta_inventario"]]
    return f'<span class="estado {mood}">{text}</span>'


def nothing_sold() -> str:
    """What stands in the place of a page without sales."""
    return markup.notice(
        "No hay ventas con esta selección.",
        "Quite algún filtro o elija un periodo con datos: la tienda pudo no haber abierto.",
    )
