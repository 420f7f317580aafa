"""Productos: categories, what made sales change, and the scorecard of each product."""

from __future__ import annotations

from html import escape

from dashboard import charts, markup, parts
from dashboard import format as fmt
from dashboard.bridge import effects
from dashboard.data import Row
from dashboard.markup import Column, Stat, Table
from dashboard.view import View, grouped, total

PARTS = (
    "ventas_netas",
    "ventas_netas_antes",
    "margen",
    "margen_antes",
    "unidades",
    "descuento",
    "venta_bruta",
)


def build(view: View) -> list[str]:
    """The parts of the page."""
    rows = view.rows("ventas_por_producto")
    if not total(rows, "ventas_netas"):
        return [view.heading("Productos"), parts.nothing_sold()]
    return [
        view.heading("Productos", _lead(rows)),
        markup.grid(_bridge(view, rows), _figures(rows), css="dos-uno"),
        _tree(view, rows),
        _products(view, rows),
        _pairs(view),
    ]


def with_ratios(row: Row) -> Row:
    """The ratios of a row of sums."""
    return {
        **row,
        "cambio": fmt.change(row["ventas_netas"], row["ventas_netas_antes"]),
        "margen_pct": fmt.ratio(row["margen"], row["ventas_netas"]),
        "descuento_pct": fmt.ratio(row["descuento"], row["venta_bruta"]),
        "aporte": None
        if row["ventas_netas_antes"] is None
        else row["ventas_netas"] - row["ventas_netas_antes"],
    }


def _lead(rows: list[Row]) -> str:
    categories = [with_ratios(row) for row in grouped(rows, lambda r: r["categoria"], PARTS)]
    now, then = total(rows, "ventas_netas"), total(rows, "ventas_netas_antes")
    grown = fmt.change(now, then)
    if grown is None:
        return f"Ventas netas de <b>{fmt.short_money(now)}</b>."
    direction = 1 if grown >= 0 else -1
    most = max(categories, key=lambda row: direction * row["aporte"])
    return (
        f"Ventas netas <b>{fmt.percent(abs(grown))} {'arriba' if grown >= 0 else 'abajo'}</b> del "
        f"año anterior; {escape(most['grupo'])} aporta "
        f"<b>{fmt.short_money(most['aporte'], plus=True)}</b>."
    )


def _figures(rows: list[Row]) -> str:
    now, then = total(rows, "ventas_netas"), total(rows, "ventas_netas_antes")
    margin, before = (
        fmt.ratio(total(rows, "margen"), now),
        fmt.ratio(total(rows, "margen_antes"), then),
    )
    cut, cut_before = (
        fmt.ratio(total(rows, f"descuento{s}"), total(rows, f"venta_bruta{s}"))
        for s in ("", "_antes")
    )
    sold = sum(1 for row in rows if row["unidades"] > 0)
    return markup.piece(
        "El periodo en cifras",
        markup.scoreboard(
            [
                Stat(
                    "ventas_netas",
                    fmt.short_money(now),
                    [markup.delta(fmt.change(now, then)) if then else ""],
                ),
                Stat("margen_pct", fmt.percent(margin), [_points(margin, before)]),
                Stat("descuento_pct", fmt.percent(cut), [_points(cut, cut_before, good=0)]),
                Stat("productos_vendidos", fmt.integer(sold), [""]),
            ],
            [markup.defined("contra", "Año anterior")],
            "El periodo contra el año anterior",
        ),
    )


def _points(now: fmt.Number | None, then: fmt.Number | None, good: int = 1) -> str:
    if now is None or then is None:
        return ""
    difference = fmt.Decimal(now) - fmt.Decimal(then)
    return markup.delta(difference, good=good, text=fmt.points(difference))


def _bridge(view: View, rows: list[Row]) -> str:
    if view.gap:
        return markup.piece("Por qué cambiaron las ventas netas", "", note=view.gap)
    made = effects(rows)
    now, then = total(rows, "ventas_netas"), total(rows, "ventas_netas_antes")
    named = [
        ("Volumen", made.volume),
        ("Mezcla", made.mix),
        ("Precio", made.price),
        ("Productos nuevos", made.new),
        ("Descontinuados", made.gone),
        ("Devoluciones", made.returned),
    ]
    steps = [
        charts.Step("Año anterior", float(then), fmt.short_money(then), total=True),
        *(charts.Step(name, float(v), fmt.short_money(v, plus=True)) for name, v in named if v),
        charts.Step("Este periodo", float(now), fmt.short_money(now), total=True),
    ]
    view.keep(
        Table(
            "puente",
            "Por qué cambiaron las ventas netas",
            [Column("parte", "Parte"), Column("monto", "Monto", "cents")],
            [
                {"parte": "Año anterior", "monto": then},
                *({"parte": name, "monto": value} for name, value in named),
                {"parte": "Este periodo", "monto": now},
            ],
        )
    )
    note = (
        f"{markup.defined('puente', 'Volumen, mezcla y precio')} suman el cambio al centavo. "
        "La escala no empieza en cero."
    )
    return markup.piece(
        "Por qué cambiaron las ventas netas",
        charts.bridge(steps, "Del año anterior a este periodo"),
        note=note,
    )


_COLUMNS = [
    Column("ventas_netas", "Ventas netas", "short", "ventas_netas", bar=True),
    Column("cambio", "Cambio", "change", "contra"),
    Column("aporte", "Aporte", "short", "aporte_neto"),
    Column("margen_pct", "Margen", "percent", "margen_pct"),
    Column("descuento_pct", "Descuento", "percent", "descuento_pct"),
]


def _tree(view: View, rows: list[Row]) -> str:
    """Categories, and under the one that is chosen its subcategories."""
    chosen = view.chosen["categoria"]
    lines: list[Row] = []
    for category in grouped(rows, lambda row: row["categoria"], PARTS):
        name = category["grupo"]
        lines.append({**with_ratios(category), "nivel": 0, "nombre": name})
        if chosen:
            inside = [row for row in rows if row["categoria"] == name]
            lines += [
                {**with_ratios(sub), "nivel": 1, "nombre": sub["grupo"], "categoria": name}
                for sub in grouped(inside, lambda row: row["subcategoria"], PARTS)
            ]

    def named(row: Row) -> str:
        if row["nivel"]:
            return f'<span class="hija">{escape(row["nombre"])}</span>'
        target = {"categoria": "" if chosen == [row["nombre"]] else row["nombre"]}
        return f"<b>{markup.link(escape(row['nombre']), target)}</b>"

    note = (
        markup.link("← Todas las categorías", {"categoria": ""})
        if chosen
        else "Un clic en una categoría la abre en sus subcategorías."
    )
    return view.table(
        Table(
            "categorias",
            "Categorías",
            [Column("nombre", "Categoría", html=named), *_COLUMNS],
            lines,
            note=note,
        )
    )


WINDOWS = {
    "ventas": "Ventas del periodo",
    "ultimos_28": "Ficha de 28 días",
    "ultimos_91": "91 días",
    "ultimos_364": "364 días",
}


def _products(view: View, rows: list[Row]) -> str:
    """Each product: its sales in the period, or its scorecard over a published window."""
    chosen = view.choice("ficha", WINDOWS)
    what = _sales(rows) if chosen == "ventas" else _scorecard(view, chosen)
    view.keep(what)
    listed = markup.table(
        Table("", "", what.columns, what.rows, shown=40, sortable=True, empty=what.empty)
    )
    return markup.piece(
        what.title,
        listed,
        note=what.note,
        tools=markup.tabs("ficha", WINDOWS, chosen, "Qué se muestra de cada producto"),
    )


def _sales(rows: list[Row]) -> Table:
    return Table(
        "productos",
        "Productos",
        [
            Column("nombre_producto", "Producto"),
            Column("subcategoria", "Subcategoría"),
            *_COLUMNS,
            Column("unidades", "Unidades", "integer", "unidades"),
        ],
        [with_ratios(row) for row in rows],
    )


def _scorecard(view: View, window: str) -> Table:
    regions = view.chosen["region"]
    # Classes and ratios are published by region and for the whole: several regions are the whole.
    dimension, value = ("region", regions[0]) if len(regions) == 1 else ("total", "Total")
    rows = view.rows("ficha", ventana=window, dimension=dimension, valor=value)
    for row in rows:
        row["clase"] = f"{row['clase_abc'] or fmt.NOTHING}{row['clase_xyz'] or ''}"
    note = ""
    if rows:
        note = f"{fmt.span(rows[0]['desde'], rows[0]['hasta']).capitalize()}, "
        note += f"región {escape(value)}." if dimension == "region" else "todas las regiones."
        note += " Cierres sin stock y venta perdida: solo de los días observados."
    return Table(
        "ficha",
        "Ficha de los productos",
        [
            Column("nombre_producto", "Producto"),
            Column("clase", "Clase", "text", "clase"),
            Column("ventas_netas", "Ventas netas", "short", "ventas_netas", bar=True),
            Column("margen_pct", "Margen", "percent", "margen_pct"),
            Column("gmroi", "GMROI", "decimal", "gmroi"),
            Column("rotacion", "Rotación", "decimal", "rotacion"),
            Column("sell_through", "Desplazamiento", "percent", "sell_through"),
            Column("cierre_sin_stock", "Cierres sin stock", "percent", "cierre_sin_stock"),
            Column("devolucion", "Devolución", "percent", "devolucion"),
            Column("dias_observados", "Días observados", "integer", "dias_observados"),
            Column("ventas_perdidas", "Venta perdida", "short", "ventas_perdidas"),
        ],
        rows,
        note=note,
    )


BASKETS = {
    "Total": "Todos",
    "Hipermercado": "Hipermercado",
    "Supermercado": "Supermercado",
    "Express": "Express",
    "Conveniencia": "Conveniencia",
}


def _pairs(view: View) -> str:
    """What is bought together, beyond chance."""
    form = view.choice("canasta", BASKETS)
    rows = view.rows("pares", formato_de_pares=form)
    what = Table(
        "pares",
        "Lo que se compra junto",
        [
            Column("producto_a", "Quien lleva"),
            Column("producto_b", "lleva también"),
            Column("tickets", "Tickets", "integer"),
            Column("esperados", "Por azar", "decimal", "esperados"),
            Column(
                "lift",
                "Veces",
                "decimal",
                "lift",
                html=lambda row: (
                    f'{fmt.decimal(row["lift"], 1)}<span class="sub">'
                    f"± {fmt.decimal(row['error_lift'], 1)}</span>"
                ),
            ),
            Column("confianza_ab", "Con el segundo", "percent", "confianza"),
            Column("confianza_ba", "Con el primero", "percent"),
            Column("z", "z", "decimal", "z_pares"),
        ],
        rows,
        empty="Ningún par de la selección se repite en cinco tickets o más.",
    )
    view.keep(what)
    note = "Contra lo esperado por azar en canastas del mismo formato y tamaño."
    if rows:
        note += f" {fmt.span(rows[0]['desde'], rows[0]['hasta']).capitalize()}, todas las regiones."
    return markup.piece(
        what.title,
        markup.table(Table("", "", what.columns, rows, shown=12, sortable=True, empty=what.empty)),
        note=note,
        tools=markup.tabs("canasta", BASKETS, form, "Formato de las canastas"),
    )
