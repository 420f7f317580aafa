"""The executive's one screen, for the page Resumen and for `retail report`."""

from __future__ import annotations

from html import escape

from dashboard import charts, markup, parts
from dashboard import format as fmt
from dashboard.data import Row
from dashboard.markup import Column, Table
from dashboard.view import View, grouped, total

PARTS = (
    *("total_ventas", "numero_tickets", "ventas_netas", "margen", "ventas_mismas"),
    *("total_ventas_antes", "numero_tickets_antes", "ventas_mismas_antes", "total_ventas_plan"),
)


def build(view: View) -> list[str]:
    """The parts of the page, which `retail report` sends too."""
    days, stores = view.rows("ventas_por_dia"), view.rows("ventas_por_tienda")
    if not total(days, "total_ventas"):
        return [
            view.heading("Resumen"),
            parts.nothing_sold(),
        ]
    return [
        view.heading("Resumen", _lead(view, stores)),
        markup.grid(parts.trend(view, days), parts.figures(view, days), css="dos-uno"),
        markup.grid(_chains(view, stores), _movers(view, stores), css="dos"),
        markup.grid(*_best_and_worst(view, stores), css="dos"),
    ]


def _lead(view: View, stores: list[Row]) -> str:
    """One line of what to look at."""
    now, then = total(stores, "total_ventas"), total(stores, "total_ventas_antes")
    grown = fmt.change(now, then)
    if grown is None:
        return f"Ventas de <b>{fmt.short_money(now)}</b>, sin un año anterior con que comparar."
    text = (
        f"Ventas de <b>{fmt.short_money(now)}</b>, <b>{fmt.percent(abs(grown))} "
        f"{'más' if grown >= 0 else 'menos'}</b> que el año anterior."
    )
    groups = grouped(stores, lambda row: (row["cadena"], row["region"]), PARTS)
    moved = [(row["grupo"], _difference(row)) for row in groups]
    if len(moved) > 1:
        direction = 1 if grown >= 0 else -1
        (chain, region), most = max(moved, key=lambda one: direction * one[1])
        text += (
            f" Lo que más pesa es {escape(chain)} en {escape(region)}: "
            f"<b>{fmt.short_money(most, plus=True)}</b>."
        )
    alerts = {row["alerta_inventario"]: row for row in view.rows("alertas_resumen")}
    if "SIN_STOCK" in alerts:
        count = alerts["SIN_STOCK"]["pares"]
        text += " " + markup.link(
            f"{fmt.integer(count)} productos agotados en tienda",
            {"pagina": "inventario"},
        )
        text += "."
    return text


def _difference(row: Row) -> float:
    return float((row["total_ventas"] or 0) - (row["total_ventas_antes"] or 0))


def _chains(view: View, stores: list[Row]) -> str:
    rows = grouped(stores, lambda row: row["cadena"], PARTS)
    for row in rows:
        row["cambio"] = fmt.change(row["total_ventas"], row["total_ventas_antes"])
        row["plan"] = _against_plan(stores, row)
        row["mismas"] = fmt.change(row["ventas_mismas"], row["ventas_mismas_antes"])
        row["ticket"] = fmt.ratio(row["total_ventas"], row["numero_tickets"])
        row["margen_pct"] = fmt.ratio(row["margen"], row["ventas_netas"])
    return view.table(
        Table(
            "cadenas",
            "Cadenas",
            [
                Column("grupo", "Cadena", target=lambda row: {"cadena": row["grupo"]}),
                Column("total_ventas", "Ventas", "short", "total_ventas", bar=True),
                Column("cambio", "Cambio", "change", "contra"),
                Column("plan", "Plan", "change", "plan"),
                Column("mismas", "Mismas tiendas", "change", "mismas_tiendas"),
                Column("ticket", "Ticket", "money", "ticket_promedio"),
                Column("margen_pct", "Margen", "percent", "margen_pct"),
            ],
            rows,
        )
    )


def _against_plan(stores: list[Row], chain: Row) -> fmt.Number | None:
    """Sales of a chain over its plan - 1; None if a store of it that was open has no plan."""
    if any(
        row["total_ventas_plan"] is None
        for row in stores
        if row["cadena"] == chain["grupo"] and row["dias_abierta"]
    ):
        return None
    return fmt.change(chain["total_ventas"], chain["total_ventas_plan"])


def _movers(view: View, stores: list[Row]) -> str:
    """What moved most: contributions of chain and region to the change."""
    if view.gap:
        return markup.piece("Qué se movió más", "", note=view.gap)
    rows = grouped(stores, lambda row: (row["cadena"], row["region"]), PARTS)
    for row in rows:
        row["cadena"], row["region"] = row["grupo"]
        row["aporte"] = _difference(row)
    rows = sorted(rows, key=lambda row: -abs(row["aporte"]))
    view.keep(
        Table(
            "aportes",
            "Qué se movió más",
            [
                Column("cadena", "Cadena"),
                Column("region", "Región"),
                Column("aporte", "Aporte al cambio", "money"),
            ],
            rows,
        )
    )
    top = sorted(rows[:8], key=lambda row: -row["aporte"])
    bars = charts.movers(
        [
            (
                f"{row['cadena']} · {row['region']}",
                row["aporte"],
                fmt.short_money(row["aporte"], plus=True),
                {"cadena": row["cadena"], "region": row["region"]},
            )
            for row in top
        ],
        "Aportes al cambio de las ventas",
    )
    note = f"{markup.defined('aporte')}: pesos más o menos que en los mismos días del año anterior."
    return markup.piece("Qué se movió más", bars, note=note)


def _best_and_worst(view: View, stores: list[Row]) -> list[str]:
    rows = [
        {**row, "cambio": fmt.change(row["ventas_mismas"], row["ventas_mismas_antes"])}
        for row in stores
    ]
    rows = sorted((row for row in rows if row["cambio"] is not None), key=lambda r: -r["cambio"])
    half = min(5, len(rows) // 2)
    columns = [
        Column(
            "nombre_tienda",
            "Tienda",
            target=lambda row: {"pagina": "tiendas", "tienda": str(row["tienda_id"])},
        ),
        Column("total_ventas", "Ventas", "short"),
        Column("cambio", "Mismas tiendas", "change", "mismas_tiendas"),
    ]
    best, worst = rows[:half], rows[::-1][:half]
    falling = bool(worst) and worst[0]["cambio"] < 0
    empty = view.gap or "No hay tiendas que comparar con hace un año."
    return [
        view.table(Table("mejores", "Las tiendas que más crecen", columns, best, empty=empty)),
        view.table(
            Table(
                "peores",
                f"Las tiendas que {'más caen' if falling else 'menos crecen'}",
                columns,
                worst,
                empty=empty,
            )
        ),
    ]
