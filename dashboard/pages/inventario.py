"""Inventario: what is missing, what is too much, and what both cost."""

from __future__ import annotations

from html import escape

from dashboard import format as fmt
from dashboard import markup, parts
from dashboard.data import Row
from dashboard.markup import Column, Stat, Table
from dashboard.view import View, grouped, total

SHOWN = {"SIN_STOCK": "Sin stock", "STOCK_BAJO": "Stock bajo", "SOBRESTOCK": "Sobrestock"}
# More rows than anybody works through in a day.
MOST = 2000


def build(view: View) -> list[str]:
    """The parts of the page."""
    states = view.rows("alertas_por_estado")
    if not states:
        return [
            view.heading("Inventario", dated=False),
            markup.notice(
                "No hay inventario con esta selección.",
                "Quite algún filtro: ninguna tienda de la selección entregó existencias.",
            ),
        ]
    return [
        view.heading("Inventario", _lead(states), dated=False),
        _figures(states),
        _by_category(view, states),
        _worst(view, states),
    ]


def _of(states: list[Row], alert: str) -> list[Row]:
    return [row for row in states if row["alerta_inventario"] == alert]


def _lead(states: list[Row]) -> str:
    date = max(row["fecha"] for row in states)
    out = _of(states, "SIN_STOCK")
    if not out:
        return f"Nada agotado en la foto del {fmt.day(date)}."
    worst = grouped(out, lambda row: row["categoria"], ("venta_diaria",))[0]
    return (
        f"<b>{fmt.integer(total(out, 'pares'))}</b> productos agotados en tienda dejan de vender "
        f"<b>{fmt.short_money(total(out, 'venta_diaria'))} al día</b>; lo más caro falta en "
        f"{escape(worst['grupo'])}. Foto del {fmt.day(date)}."
    )


def _figures(states: list[Row]) -> str:
    pairs = total(states, "pares")

    def share(alert: str, words: str) -> str:
        count = total(_of(states, alert), "pares") or 0
        part = fmt.percent(fmt.ratio(count, pairs))
        return f"{fmt.integer(count)} {words}, {part} del surtido"

    out, low, over = (_of(states, alert) for alert in SHOWN)
    return markup.piece(
        "Dinero en riesgo",
        markup.stats(
            [
                Stat(
                    "venta_en_riesgo",
                    fmt.short_money(total(out, "venta_diaria") or 0),
                    [share("SIN_STOCK", "agotados")],
                    label="Sin stock, por día",
                ),
                Stat(
                    "venta_en_riesgo",
                    fmt.short_money(total(low, "venta_diaria") or 0),
                    [share("STOCK_BAJO", "por agotarse")],
                    label="Stock bajo, por día",
                ),
                Stat(
                    "valor_costo",
                    fmt.short_money(total(over, "valor_costo") or 0),
                    [share("SOBRESTOCK", "de más")],
                    label="Sobrestock, al costo",
                ),
                Stat(
                    "valor_costo",
                    fmt.short_money(total(states, "valor_costo")),
                    [f"{fmt.integer(pairs)} pares de tienda y producto"],
                    label="Todo el inventario, al costo",
                ),
            ]
        ),
    )


def _by_category(view: View, states: list[Row]) -> str:
    rows = []
    for row in grouped(states, lambda row: row["categoria"], ("valor_costo", "pares")):
        inside = [one for one in states if one["categoria"] == row["grupo"]]
        rows.append(
            {
                **row,
                **{alert: total(_of(inside, alert), "pares") or 0 for alert in SHOWN},
                "agotado": fmt.ratio(total(_of(inside, "SIN_STOCK"), "pares") or 0, row["pares"]),
                "riesgo": total(_of(inside, "SIN_STOCK"), "venta_diaria") or 0,
            }
        )
    return view.table(
        Table(
            "por_categoria",
            "Por categoría",
            [
                Column("grupo", "Categoría", target=lambda row: {"categoria": row["grupo"]}),
                Column("riesgo", "Venta diaria en riesgo", "money", "venta_en_riesgo", bar=True),
                Column("SIN_STOCK", "Sin stock", "integer", "alerta"),
                Column("agotado", "Del surtido", "percent"),
                Column("STOCK_BAJO", "Stock bajo", "integer"),
                Column("SOBRESTOCK", "Sobrestock", "integer"),
                Column("valor_costo", "Al costo", "short", "valor_costo"),
            ],
            sorted(rows, key=lambda row: -row["riesgo"]),
            sortable=True,
        )
    )


def _worst(view: View, states: list[Row]) -> str:
    alert = view.choice("alerta", SHOWN)
    rows = view.rows("alertas", alertas=[alert], limite=MOST)
    money = (
        Column("valor_costo", "Al costo", "money", "valor_costo")
        if alert == "SOBRESTOCK"
        else Column("venta_diaria", "Venta diaria en riesgo", "money", "venta_en_riesgo")
    )
    what = Table(
        "alertas",
        f"Lo que más cuesta: {SHOWN[alert].lower()}",
        [
            Column(
                "nombre_tienda",
                "Tienda",
                target=lambda row: {"pagina": "tiendas", "tienda": str(row["tienda_id"])},
            ),
            Column("nombre_producto", "Producto"),
            Column("alerta_inventario", "Alerta", html=parts.alert),
            money,
            Column("stock_actual", "Existencia", "integer", "stock_actual"),
            Column("venta_diaria_promedio", "Unidades al día", "decimal", "venta_diaria"),
            Column("dias_inventario", "Días de inventario", "decimal", "dias_inventario"),
        ],
        rows,
        shown=40,
        sortable=True,
        empty="Nada en este estado.",
    )
    view.keep(what)
    listed = markup.table(
        Table("", "", what.columns, rows, shown=40, sortable=True, empty=what.empty)
    )
    return markup.piece(
        what.title, listed, tools=markup.tabs("alerta", SHOWN, alert, "Qué alertas se listan")
    )
