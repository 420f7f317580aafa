"""Tiendas: ranking, regions, stores that ripen, and one store."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from html import escape
from statistics import median

from dashboard import format as fmt
from dashboard import markup, parts
from dashboard.data import Row
from dashboard.markup import Column, Table
from dashboard.view import View, grouped, total

PARTS = ("total_ventas", "total_ventas_antes")
# A store is compared with those that were open so long; until then it ripens.
RIPE_AFTER = datetime.timedelta(days=730)


def build(view: View) -> list[str]:
    """The parts of the page."""
    store = view.own.get("tienda", "")
    return _one_store(view, int(store)) if store.isdigit() else _all_stores(view)


def _enriched(view: View, stores: Sequence[Row]) -> list[Row]:
    days = view.period.days
    return [
        {
            **row,
            "puesto": place,
            # A store that was not open on each day of both periods has no growth of its own.
            "cambio": fmt.change(row["total_ventas"], row["total_ventas_antes"])
            if row["dias_abierta"] == row["dias_abierta_antes"] == days
            else None,
            "plan": fmt.change(row["total_ventas"], row["total_ventas_plan"]),
            "margen_pct": fmt.ratio(row["margen"], row["ventas_netas"]),
            "ticket": fmt.ratio(row["total_ventas"], row["numero_tickets"]),
            "por_m2": fmt.ratio(
                row["total_ventas"], (row["superficie_m2"] or 0) * row["dias_abierta"]
            ),
        }
        for place, row in enumerate(stores, start=1)
    ]


def _all_stores(view: View) -> list[str]:
    stores = _enriched(view, view.rows("ventas_por_tienda"))
    if not total(stores, "total_ventas"):
        return [view.heading("Tiendas"), parts.nothing_sold()]
    grown = [row for row in stores if row["cambio"] is not None and row["cambio"] > 0]
    compared = [row for row in stores if row["cambio"] is not None]
    lead = (
        f"<b>{len(grown)} de {len(compared)}</b> tiendas comparables venden más que hace un año."
        if compared
        else "Ninguna tienda de la selección vendía hace un año."
    )
    return [
        view.heading("Tiendas", lead),
        _regions(view, stores),
        _ranking(view, stores),
        _ripening(view, stores),
    ]


def _regions(view: View, stores: list[Row]) -> str:
    """Regions side by side, each with its chains: where one would look at a map."""
    rows = grouped(stores, lambda row: (row["region"], row["cadena"]), PARTS)
    for row in rows:
        row["region"], row["cadena"] = row["grupo"]
        row["cambio"] = fmt.change(row["total_ventas"], row["total_ventas_antes"])
    view.keep(
        Table(
            "regiones",
            "Regiones y cadenas",
            [
                Column("region", "Región"),
                Column("cadena", "Cadena"),
                Column("total_ventas", "Ventas", "money"),
                Column("cambio", "Cambio", "change"),
            ],
            rows,
        )
    )
    largest = max(float(row["total_ventas"] or 0) for row in rows) or 1
    cells = []
    for region in grouped(stores, lambda row: row["region"], PARTS):
        name = region["grupo"]
        chains = "".join(
            f'<li><span class="nombre">{escape(row["cadena"])}</span>'
            f'<span class="via" aria-hidden="true"><span class="tramo bien" style="left:0;'
            f'width:{100 * float(row["total_ventas"] or 0) / largest:.1f}%"></span></span>'
            f'<span class="monto">{fmt.short_money(row["total_ventas"])}</span></li>'
            for row in rows
            if row["region"] == name
        )
        count = sum(1 for row in stores if row["region"] == name)
        cells.append(
            f'<div class="region"><h3>{markup.link(escape(name), {"region": name})}'
            f'<span class="sub">{fmt.integer(count)} tienda{"s" if count != 1 else ""}</span></h3>'
            f'<p><span class="valor">{fmt.short_money(region["total_ventas"])}</span> '
            f"{markup.delta(fmt.change(region['total_ventas'], region['total_ventas_antes']))}</p>"
            f'<ol class="puente">{chains}</ol></div>'
        )
    note = "Las barras tienen la misma escala en todas las regiones. Un clic en el nombre filtra."
    return markup.piece("Regiones", f'<div class="regiones">{"".join(cells)}</div>', note=note)


def _ranking(view: View, stores: list[Row]) -> str:
    return view.table(
        Table(
            "tiendas",
            "Todas las tiendas",
            [
                Column("puesto", "#", "integer"),
                Column(
                    "nombre_tienda",
                    "Tienda",
                    target=lambda row: {"tienda": str(row["tienda_id"])},
                ),
                Column("cadena", "Cadena"),
                Column("region", "Región"),
                Column("total_ventas", "Ventas", "money", "total_ventas", bar=True),
                Column("cambio", "Cambio", "change", "contra"),
                Column("plan", "Contra el plan", "change", "plan"),
                Column("ticket", "Ticket", "cents", "ticket_promedio"),
                Column("margen_pct", "Margen", "percent", "margen_pct"),
                Column("por_m2", "Por m² y día", "cents", "ventas_m2"),
            ],
            stores,
            shown=50,
            sortable=True,
        )
    )


def _ripening(view: View, stores: list[Row]) -> str:
    """Stores of the last two years against the ripe ones of their format."""
    ripe: dict[str, list[float]] = {}
    for row in stores:
        if row["fecha_apertura"] <= view.cutoff - RIPE_AFTER and row["por_m2"]:
            ripe.setdefault(row["formato"], []).append(float(row["por_m2"]))
    rows = [
        {
            **row,
            "meses": (view.cutoff - row["fecha_apertura"]).days // 30,
            "madurez": fmt.ratio(row["por_m2"], median(ripe[row["formato"]])),
        }
        for row in stores
        if row["fecha_apertura"] > view.cutoff - RIPE_AFTER and row["formato"] in ripe
    ]
    return view.table(
        Table(
            "maduracion",
            "Maduración de las tiendas nuevas",
            [
                Column(
                    "nombre_tienda",
                    "Tienda",
                    target=lambda row: {"tienda": str(row["tienda_id"])},
                ),
                Column("formato", "Formato"),
                Column("fecha_apertura", "Apertura", "date"),
                Column("meses", "Meses abierta", "integer"),
                Column("por_m2", "Por m² y día", "cents", "ventas_m2"),
                Column("madurez", "De una tienda madura", "percent", "madurez", bar=True),
            ],
            sorted(rows, key=lambda row: -row["meses"]),
            note="Abiertas en los últimos 24 meses, contra la mediana de las tiendas maduras de "
            "su formato en la selección.",
            empty="Ninguna tienda de la selección abrió en los últimos 24 meses.",
        )
    )


def _one_store(view: View, store: int) -> list[str]:
    found = [row for row in view.edition.rows("tienda", tienda=store)]
    back = markup.link("← Todas las tiendas", {"tienda": ""}, css="volver")
    if not found:
        return [
            view.heading("Tiendas"),
            markup.notice(f"No hay una tienda con el número {store}.", "Elija una de la lista."),
            back,
        ]
    row = found[0]
    days = view.rows("ventas_por_dia", tienda=store)
    opened = f"abierta desde el {fmt.day(row['fecha_apertura'])}"
    closed = f", cerrada el {fmt.day(row['fecha_cierre'])}" if row["fecha_cierre"] else ""
    place = escape(f"{row['ciudad']}, {row['estado']} · región {row['region']}")
    lead = f"{place} · {fmt.integer(row['superficie_m2'])} m² · {opened}{closed}"
    head = back + view.heading(f"{row['nombre_tienda']}", lead)
    if not total(days, "total_ventas"):
        return [head, parts.nothing_sold()]
    return [
        head,
        markup.grid(parts.trend(view, days), parts.figures(days), css="dos-uno"),
        markup.grid(_categories(view, store), _alerts(view, store), css="dos"),
    ]


def _categories(view: View, store: int) -> str:
    rows = [
        {**row, "cambio": fmt.change(row["total_ventas"], row["total_ventas_antes"])}
        for row in view.rows("categorias_de_tienda", tienda=store)
    ]
    return view.table(
        Table(
            "categorias_de_tienda",
            "Categorías",
            [
                Column("categoria", "Categoría"),
                Column("total_ventas", "Ventas", "short", "total_ventas", bar=True),
                Column("cambio", "Cambio", "change"),
            ],
            rows,
            note=f"Meses completos o en curso que toca el periodo: "
            f"{fmt.month(view.period.start)} a {fmt.month(view.period.end)}.",
        )
    )


def _alerts(view: View, store: int) -> str:
    rows = view.rows("alertas", tienda=store, alertas=["SIN_STOCK", "STOCK_BAJO"], limite=12)
    return view.table(
        Table(
            "alertas_de_tienda",
            "Lo que falta en el anaquel",
            [
                Column("nombre_producto", "Producto"),
                Column("alerta_inventario", "Alerta", html=parts.alert),
                Column("stock_actual", "Existencia", "integer", "stock_actual"),
                Column("venta_diaria", "Venta diaria", "money", "venta_en_riesgo"),
            ],
            rows,
            empty="Nada agotado ni por agotarse en la última foto.",
        )
    )
