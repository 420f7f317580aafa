"""Precios y promociones: tickets by format, what is given away, what runs now."""

from __future__ import annotations

from dashboard import format as fmt
from dashboard import markup, parts
from dashboard.data import Row
from dashboard.markup import Column, Stat, Table
from dashboard.view import View, grouped, total

CHANNELS = {"tienda": "Tienda", "online": "En línea", "app": "App"}
GIVEN = ("total_ventas", "ventas_promocion", "descuento", "venta_bruta", "margen", "ventas_netas")


def build(view: View) -> list[str]:
    """The parts of the page."""
    tickets, products = view.rows("ventas_por_formato"), view.rows("ventas_por_producto")
    if not total(tickets, "total_ventas"):
        return [view.heading("Precios y promociones"), parts.nothing_sold()]
    running = view.rows("promociones_vigentes")
    return [
        view.heading("Precios y promociones", _lead(products, running)),
        _figures(tickets, products),
        markup.grid(_formats(view, tickets), _categories(view, products), css="dos"),
        _promotions(view, running),
    ]


def _lead(products: list[Row], running: list[Row]) -> str:
    given = total(products, "descuento")
    share = fmt.ratio(total(products, "ventas_promocion"), total(products, "total_ventas"))
    return (
        f"<b>{fmt.short_money(given)}</b> en descuentos; <b>{fmt.percent(share)}</b> de la venta "
        f"salió en promoción. {_running_today(len(running))}"
    )


def _running_today(count: int) -> str:
    if count == 1:
        return "Hay una promoción vigente."
    return f"Hay {fmt.integer(count)} promociones vigentes." if count else "Ninguna está vigente."


def _figures(tickets: list[Row], products: list[Row]) -> str:
    def pair(top: str, bottom: str) -> tuple[fmt.Number | None, fmt.Number | None]:
        now, then = (
            fmt.ratio(total(tickets, top + s), total(tickets, bottom + s)) for s in ("", "_antes")
        )
        return now, then

    ticket, ticket_before = pair("total_ventas", "numero_tickets")
    items, items_before = pair("articulos", "numero_tickets")
    price, price_before = pair("total_ventas", "articulos")
    cut = fmt.ratio(total(products, "descuento"), total(products, "venta_bruta"))
    shown = [
        Stat(
            "ticket_promedio",
            fmt.money(ticket, 2),
            [markup.delta(fmt.change(ticket, ticket_before), parts.AGAINST)],
        ),
        Stat(
            "articulos_por_ticket",
            fmt.decimal(items, 2),
            [markup.delta(fmt.change(items, items_before), parts.AGAINST)],
        ),
        Stat(
            "precio_medio_articulo",
            fmt.money(price, 2),
            [markup.delta(fmt.change(price, price_before), parts.AGAINST, good=0)],
        ),
        Stat("descuento_pct", fmt.percent(cut)),
    ]
    note = (
        "Ticket = artículos por ticket × precio por artículo, exacto. Los tickets son de todas las "
        "categorías: uno tiene productos de varias. Los descuentos son de todos los formatos."
    )
    return markup.piece("El ticket por dentro", markup.stats(shown), note=note)


def _formats(view: View, tickets: list[Row]) -> str:
    rows = [
        {
            **row,
            "nombre_canal": CHANNELS.get(row["canal"], row["canal"]),
            "ticket": fmt.ratio(row["total_ventas"], row["numero_tickets"]),
            "por_ticket": fmt.ratio(row["articulos"], row["numero_tickets"]),
            "cambio": fmt.change(
                fmt.ratio(row["total_ventas"], row["numero_tickets"]),
                fmt.ratio(row["total_ventas_antes"], row["numero_tickets_antes"]),
            ),
        }
        for row in tickets
        if row["numero_tickets"]
    ]
    return view.table(
        Table(
            "formatos",
            "Ticket por formato y canal",
            [
                Column("formato", "Formato", target=lambda row: {"formato": row["formato"]}),
                Column("nombre_canal", "Canal"),
                Column("ticket", "Ticket", "cents", "ticket_promedio"),
                Column("cambio", "Cambio", "change"),
                Column("por_ticket", "Artículos", "decimal", "articulos_por_ticket"),
                Column("numero_tickets", "Tickets", "integer", "numero_tickets"),
            ],
            rows,
        )
    )


def _categories(view: View, products: list[Row]) -> str:
    rows = [
        {
            **row,
            "en_promocion": fmt.ratio(row["ventas_promocion"], row["total_ventas"]),
            "descuento_pct": fmt.ratio(row["descuento"], row["venta_bruta"]),
            "margen_pct": fmt.ratio(row["margen"], row["ventas_netas"]),
        }
        for row in grouped(products, lambda row: row["categoria"], GIVEN)
    ]
    return view.table(
        Table(
            "descuentos",
            "Lo que se regala, por categoría",
            [
                Column("grupo", "Categoría", target=lambda row: {"categoria": row["grupo"]}),
                Column("en_promocion", "En promoción", "percent", "en_promocion"),
                Column("descuento", "Descuento", "short", "descuento"),
                Column("descuento_pct", "De la venta bruta", "percent", "descuento_pct"),
                Column("margen_pct", "Margen", "percent", "margen_pct"),
            ],
            sorted(rows, key=lambda row: -(row["descuento"] or 0)),
        )
    )


SHOWN = {"vigentes": "Vigentes", "efecto": "Lo que dejaron las terminadas"}


def _promotions(view: View, running: list[Row]) -> str:
    """Promotions that run, or what those that ended brought."""
    shown = view.choice("promociones", SHOWN)
    what = _running(view, running) if shown == "vigentes" else _effects(view)
    view.keep(what)
    return markup.piece(
        what.title,
        markup.table(
            Table("", "", what.columns, what.rows, shown=40, sortable=True, empty=what.empty)
        ),
        note=what.note,
        tools=markup.tabs("promociones", SHOWN, shown, "Qué promociones se listan"),
    )


def _effects(view: View) -> Table:
    return Table(
        "efecto_promociones",
        "Lo que dejaron las promociones terminadas",
        [
            Column("nombre_producto", "Producto"),
            Column("formato", "Formato"),
            Column("fecha_inicio", "Desde", "date"),
            Column("fecha_fin", "Hasta", "date"),
            Column("rebaja", "Rebaja", "percent"),
            Column(
                "efecto",
                "Unidades de más",
                "change",
                "efecto_promocion",
                html=lambda row: (
                    f"{markup.delta(row['efecto'])}"
                    f'<span class="sub">± {fmt.percent(row["error"])}</span>'
                ),
            ),
            Column("semana_siguiente", "Semana siguiente", "change", "semana_siguiente"),
            Column("margen_cedido", "Margen cedido", "money", "margen_cedido"),
            Column("margen_incremental", "Margen de más", "money", "margen_incremental"),
        ],
        view.rows("efecto_promociones"),
        note="Contra lo que se habría vendido sin ellas: los mismos días de las cuatro semanas "
        "anteriores. Con su error estándar.",
        empty="Ninguna promoción de la selección que terminó en el periodo se puede medir: se "
        "miden las que empezaron en los últimos 91 días, una semana después de su fin.",
    )


def _running(view: View, running: list[Row]) -> Table:
    return Table(
        "promociones",
        f"Promociones vigentes el {fmt.day(view.period.end)}",
        [
            Column("nombre_producto", "Producto"),
            Column("categoria", "Categoría"),
            Column("formato", "Formato"),
            Column("rebaja", "Rebaja", "percent"),
            Column("precio_rebajado", "Precio", "cents"),
            Column("fecha_inicio", "Desde", "date"),
            Column("fecha_fin", "Hasta", "date"),
            Column("dias_restantes", "Días que quedan", "integer"),
        ],
        running,
        empty="Ninguna promoción de la selección está vigente ese día.",
    )
