"""Inventario: what is missing, what is too much, and what both cost."""

from __future__ import annotations

from html import escape

from dashboard import format as fmt
from dashboard import markup
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
    # Lost sales are known by region and product.
    cut = view.chosen["cadena"] or view.chosen["formato"]
    lost = None if cut else view.rows("ventas_perdidas")
    return [
        view.heading("Inventario", _lead(states), dated=False),
        _figures(states, lost),
        _by_category(view, states, lost),
        _worst(view),
    ]


def _of(states: list[Row], alert: str) -> list[Row]:
    return [row for row in states if row["alerta_inventario"] == alert]


def _lead(states: list[Row]) -> str:
    taken = _taken(states)
    out = _of(states, "SIN_STOCK")
    if not out:
        return f"Nada agotado. {taken}"
    worst = grouped(out, lambda row: row["categoria"], ("dinero_en_riesgo",))[0]
    return (
        f"<b>{fmt.integer(total(out, 'pares'))}</b> productos agotados en tienda dejan de vender "
        f"<b>{fmt.short_money(total(out, 'venta_perdida_diaria'))} al día</b>; lo más caro falta "
        f"en {escape(worst['grupo'])}. {taken}"
    )


def _taken(states: list[Row]) -> str:
    """Of which day the stock is; a store that is late shows the one that it sent last."""
    last = max(row["fecha"] for row in states)
    first = min(row["fecha_primera"] for row in states)
    late = f" (la más atrasada, del {fmt.day(first)})" if first < last else ""
    return f"Foto del {fmt.day(last)}{late}."


def _figures(states: list[Row], lost: list[Row] | None) -> str:
    pairs = total(states, "pares")

    def share(alert: str, words: str) -> str:
        count = total(_of(states, alert), "pares") or 0
        part = fmt.percent(fmt.ratio(count, pairs))
        return f"{fmt.integer(count)} {words}, {part} del surtido"

    def coming(alert: str) -> str:
        count = total(_of(states, alert), "pares_en_camino") or 0
        return f"{fmt.integer(count)} con pedido en camino"

    out, low, over = (_of(states, alert) for alert in SHOWN)
    shown = [
        Stat(
            "dinero_en_riesgo",
            fmt.short_money(total(out, "dinero_en_riesgo") or 0),
            [share("SIN_STOCK", "agotados"), coming("SIN_STOCK")],
            label="Margen en riesgo, sin stock",
        ),
        Stat(
            "dinero_en_riesgo",
            fmt.short_money(total(low, "dinero_en_riesgo") or 0),
            [share("STOCK_BAJO", "por agotarse"), coming("STOCK_BAJO")],
            label="Margen en riesgo, stock bajo",
        ),
        Stat(
            "dinero_en_riesgo",
            fmt.short_money(total(over, "dinero_en_riesgo") or 0),
            [
                share("SOBRESTOCK", "de más"),
                f"de {fmt.short_money(total(states, 'valor_costo'))} de inventario, al costo",
            ],
            label="Dinero parado, sobrestock",
        ),
    ]
    if lost is not None:
        amount = total(lost, "ventas_perdidas")
        share_of = fmt.ratio(amount, (total(lost, "ventas_netas") or 0) + (amount or 0))
        shown.append(
            Stat(
                "ventas_perdidas",
                fmt.short_money(amount),
                [
                    f"{fmt.percent(share_of)} de lo que se pudo vender",
                    "últimos 28 días, estimación",
                ],
            )
        )
    return markup.piece("Dinero en riesgo", markup.stats(shown))


def _by_category(view: View, states: list[Row], lost: list[Row] | None) -> str:
    by_category = {row["categoria"]: row["ventas_perdidas"] for row in lost or []}
    rows = []
    for row in grouped(states, lambda row: row["categoria"], ("valor_costo", "pares")):
        inside = [one for one in states if one["categoria"] == row["grupo"]]
        short = _of(inside, "SIN_STOCK") + _of(inside, "STOCK_BAJO")
        rows.append(
            {
                **row,
                **{alert: total(_of(inside, alert), "pares") or 0 for alert in SHOWN},
                "agotado": fmt.ratio(total(_of(inside, "SIN_STOCK"), "pares") or 0, row["pares"]),
                "riesgo": total(short, "dinero_en_riesgo") or 0,
                "parado": total(_of(inside, "SOBRESTOCK"), "dinero_en_riesgo") or 0,
                "perdida": by_category.get(row["grupo"]),
            }
        )
    return view.table(
        Table(
            "por_categoria",
            "Por categoría",
            [
                Column("grupo", "Categoría", target=lambda row: {"categoria": row["grupo"]}),
                Column("riesgo", "Margen en riesgo", "money", "dinero_en_riesgo", bar=True),
                Column("SIN_STOCK", "Sin stock", "integer", "alerta"),
                Column("agotado", "Del surtido", "percent"),
                Column("STOCK_BAJO", "Stock bajo", "integer"),
                *(
                    []
                    if lost is None
                    else [Column("perdida", "Perdida, 28 días", "money", "ventas_perdidas")]
                ),
                Column("SOBRESTOCK", "Sobrestock", "integer"),
                Column("parado", "Dinero parado", "short", "dinero_en_riesgo"),
                Column("valor_costo", "Al costo", "short", "valor_costo"),
            ],
            sorted(rows, key=lambda row: -row["riesgo"]),
            note=""
            if lost is not None
            else "La venta perdida no se muestra: se conoce por región y categoría, no por cadena "
            "ni formato.",
            sortable=True,
        )
    )


def _worst(view: View) -> str:
    alert = view.choice("alerta", SHOWN)
    rows = view.rows("alertas", alertas=[alert], limite=MOST)
    excess = alert == "SOBRESTOCK"
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
            Column(
                "dinero_en_riesgo",
                "Dinero parado" if excess else "Margen en riesgo",
                "money",
                "dinero_en_riesgo",
                bar=True,
            ),
            *(
                []
                if excess
                else [Column("venta_perdida_diaria", "Venta al día", "money", "venta_perdida")]
            ),
            Column("dias_en_estado", "Días así", "integer", "dias_en_estado"),
            Column("demanda_diaria", "Demanda al día", "decimal", "demanda_diaria"),
            # What is out of stock has none for no day.
            *(
                []
                if alert == "SIN_STOCK"
                else [
                    Column("stock_actual", "Existencia", "integer", "stock_actual"),
                    Column("dias_inventario", "Alcanza, días", "decimal", "dias_inventario"),
                ]
            ),
            Column("en_camino", "En camino", "integer", "en_camino"),
            Column("fecha_proxima_entrega", "Llega", "date"),
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
