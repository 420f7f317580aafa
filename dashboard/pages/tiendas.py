"""Tiendas: ranking, regions, stores that ripen, and one store."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from dashboard import charts, markup, parts
from dashboard import format as fmt
from dashboard.data import Row
from dashboard.markup import Column, Table
from dashboard.view import View, grouped, total

PARTS = ("total_ventas", "total_ventas_antes")


def build(view: View) -> list[str]:
    """The parts of the page."""
    store = view.own.get("tienda", "")
    return _one_store(view, int(store)) if store.isdigit() else _all_stores(view)


def _enriched(view: View, stores: Sequence[Row]) -> list[Row]:
    start, end = view.period.before
    whole = (view.period.days, (end - start).days + 1)
    return [
        {
            **row,
            "puesto": place,
            # A store that was not open on each day of both periods has no growth of its own.
            "cambio": fmt.change(row["total_ventas"], row["total_ventas_antes"])
            if (row["dias_abierta"], row["dias_abierta_antes"]) == whole
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
    return [
        view.heading("Tiendas", view.gap or _lead(stores)),
        _regions(view, stores),
        _ranking(view, stores),
        _ripening(view),
    ]


def _lead(stores: list[Row]) -> str:
    compared = [fmt.change(row["ventas_mismas"], row["ventas_mismas_antes"]) for row in stores]
    grown = [change for change in compared if change is not None]
    if not grown:
        return "Ninguna tienda de la selección se puede comparar con hace un año."
    more = sum(change > 0 for change in grown)
    same = markup.defined("mismas_tiendas", "tiendas comparables")
    return f"<b>{more} de {len(grown)}</b> {same} venden más que hace un año."


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
                Column("plan", "Plan", "change", "plan"),
                Column("ticket", "Ticket", "cents", "ticket_promedio"),
                Column("margen_pct", "Margen", "percent", "margen_pct"),
                Column("por_m2", "Por m² y día", "cents", "ventas_m2"),
            ],
            stores,
            shown=50,
            sortable=True,
        )
    )


def _ripening(view: View) -> str:
    """New stores against the ripe ones of their format and region, since they opened."""
    months = view.rows("maduracion")
    rows = []
    for store in {row["tienda_id"]: row for row in months}.values():  # the last month of each
        rows.append({**store, "madurez": fmt.ratio(store["total_ventas"], store["ventas_maduras"])})
    listed = Table(
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
            Column("mes_operacion", "Meses", "integer"),
            Column("madurez", "De una madura", "percent", "madurez"),
        ],
        rows,
        empty="Ninguna tienda de la selección abrió en los últimos 24 meses.",
    )
    view.keep(listed)
    note = (
        f"{markup.defined('madurez')}: venta diaria contra la de tiendas maduras de su formato, en "
        "los mismos días. Meses de cuatro semanas desde la apertura."
    )
    body = markup.table(Table("", "", listed.columns, rows, shown=12, empty=listed.empty))
    if rows:
        body = markup.grid(_ripening_curve(view, months), body, css="dos")
    return markup.piece(listed.title, body, note=note)


def _ripening_curve(view: View, months: list[Row]) -> str:
    """Maturity by months since opening, over all new stores: sum / sum."""
    by_month = grouped(months, lambda row: row["mes_operacion"], ("total_ventas", "ventas_maduras"))
    curve = sorted(by_month, key=lambda row: row["grupo"])
    values = [fmt.ratio(row["total_ventas"], row["ventas_maduras"]) for row in curve]
    stores = {
        row["grupo"]: sum(1 for one in months if one["mes_operacion"] == row["grupo"])
        for row in curve
    }
    view.keep(
        Table(
            "curva_de_maduracion",
            "Curva de maduración",
            [
                Column("grupo", "Mes desde la apertura", "integer"),
                Column("madurez", "De una madura", "percent"),
                Column("tiendas", "Tiendas", "integer"),
            ],
            [
                {"grupo": row["grupo"], "madurez": value, "tiendas": stores[row["grupo"]]}
                for row, value in zip(curve, values, strict=True)
            ],
        )
    )
    if len(curve) < 2:
        return ""
    return charts.trend(
        [
            charts.Point(
                f"mes {row['grupo']}" if place % 2 == 0 else "",
                f"Mes {row['grupo']} desde la apertura",
                [("De una madura", fmt.percent(value)), ("Tiendas", str(stores[row["grupo"]]))],
            )
            for place, (row, value) in enumerate(zip(curve, values, strict=True))
        ],
        [None if value is None else float(value) for value in values],
        (),
        label="Venta de las tiendas nuevas contra una madura, por mes desde la apertura; los "
        "valores están en la descarga",
        write=lambda value: fmt.percent(value, 0),
        names=("De una tienda madura", ""),
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
    days = view.rows("ventas_de_tienda", tienda=store)
    opened = f"abierta desde el {fmt.day(row['fecha_apertura'])}"
    closed = f", cerrada el {fmt.day(row['fecha_cierre'])}" if row["fecha_cierre"] else ""
    place = escape(f"{row['ciudad']}, {row['estado']} · región {row['region']}")
    lead = f"{place} · {fmt.integer(row['superficie_m2'])} m² · {opened}{closed}"
    head = back + view.heading(f"{row['nombre_tienda']}", lead)
    if not total(days, "total_ventas"):
        return [head, parts.nothing_sold()]
    return [
        head,
        markup.grid(parts.trend(view, days), parts.figures(view, days), css="dos-uno"),
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
                Column("cambio", "Cambio", "change", "contra"),
            ],
            rows,
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
                Column("dias_en_estado", "Días así", "integer", "dias_en_estado"),
                Column("en_camino", "En camino", "integer", "en_camino"),
                Column("dinero_en_riesgo", "Margen en riesgo", "money", "dinero_en_riesgo"),
            ],
            rows,
            empty="Nada agotado ni por agotarse en la última foto.",
        )
    )
