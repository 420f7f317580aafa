"""Calidad de datos: what was delivered, what was refused, what is complete, what is published."""

from __future__ import annotations

from html import escape

from dashboard import format as fmt
from dashboard import markup
from dashboard.data import Row
from dashboard.markup import Column, Stat, Table
from dashboard.view import View, total

TABLES = {
    "raw_ventas": "Ventas",
    "raw_devoluciones": "Devoluciones",
    "raw_inventario": "Inventario",
    "raw_pedidos": "Pedidos",
    "raw_productos": "Productos",
    "raw_tiendas": "Tiendas",
    "raw_promociones": "Promociones",
}


def build(view: View) -> list[str]:
    """The parts of the page."""
    deliveries, refused = _named(view.rows("entregas")), _named(view.rows("rechazos"))
    days, published = view.rows("dias_reportados"), view.rows("publicacion")
    return [
        view.heading("Calidad de datos", _lead(deliveries, refused), dated=False),
        _figures(deliveries, refused, days),
        markup.grid(_deliveries(view, deliveries), _refused(view, refused), css="dos"),
        markup.grid(_days(view, days), _published(view, published), css="dos"),
    ]


def _named(rows: list[Row]) -> list[Row]:
    return [{**row, "que": TABLES.get(row["tabla"], row["tabla"])} for row in rows]


def _lead(deliveries: list[Row], refused: list[Row]) -> str:
    rows = total(deliveries, "filas_entregadas") or 0
    # A row stands once for each of its reasons, and under the first of them in the count.
    waiting = total(refused, "filas_sin_repetir") or 0
    gate = total(deliveries, "filas_rechazadas") or 0
    return (
        f"De <b>{fmt.integer(rows)}</b> filas entregadas, <b>{fmt.integer(gate)}</b> no pasaron "
        f"las reglas del archivo; en cuarentena esperan <b>{fmt.integer(waiting)}</b>."
    )


def _figures(deliveries: list[Row], refused: list[Row], days: list[Row]) -> str:
    rows = total(deliveries, "filas_entregadas") or 0
    gate = total(deliveries, "filas_rechazadas") or 0
    failed = total(deliveries, "fallidos") or 0
    last = days[0]
    silent = last["tiendas_abiertas"] - last["tiendas_con_venta"]
    newest = max((row["terminada_en"] for row in deliveries if row["terminada_en"]), default=None)
    return markup.piece(
        "De un vistazo",
        markup.stats(
            [
                Stat(
                    "filas_rechazadas",
                    fmt.percent(fmt.ratio(gate, rows), 3),
                    [f"{fmt.integer(gate)} de {fmt.integer(rows)} filas"],
                ),
                Stat(
                    "rechazos",
                    fmt.integer(total(refused, "filas_sin_repetir") or 0),
                    [f"filas, por {len({row['motivo'] for row in refused})} motivos"],
                ),
                Stat(
                    "tiendas_reportadas",
                    f"{fmt.integer(last['tiendas_con_venta'])} de "
                    f"{fmt.integer(last['tiendas_abiertas'])}",
                    [f"{fmt.integer(silent)} sin venta el {fmt.dated(last['fecha'])}"],
                ),
                Stat(
                    "entregas",
                    fmt.moment(newest),
                    [
                        f"{fmt.integer(failed)} archivos fallidos"
                        if failed
                        else "ningún archivo fallido"
                    ],
                ),
            ]
        ),
    )


def _deliveries(view: View, rows: list[Row]) -> str:
    return view.table(
        Table(
            "entregas",
            "Entregas",
            [
                Column("que", "Tabla"),
                Column("archivos", "Archivos", "integer"),
                Column("filas_entregadas", "Filas", "integer", "filas_entregadas"),
                Column("filas_rechazadas", "Rechazadas", "integer", "filas_rechazadas"),
                Column("fecha_max", "Último día", "date"),
                Column("terminada_en", "Última carga", "moment"),
            ],
            rows,
            empty="Todavía no llegó ningún archivo.",
        )
    )


def _refused(view: View, rows: list[Row]) -> str:
    return view.table(
        Table(
            "cuarentena",
            "En cuarentena, por motivo",
            [
                Column("descripcion", "Motivo"),
                Column("que", "Tabla"),
                Column("filas", "Filas", "integer", "rechazos", bar=True),
            ],
            rows,
            empty="Nada en cuarentena.",
        )
    )


def _days(view: View, rows: list[Row]) -> str:
    def state(row: Row) -> str:
        text, mood = ("Completo", "bien") if row["completo"] else ("Incompleto", "mal")
        return f'<span class="estado {mood}">{text}</span>'

    share = view.edition.rows("datos")[0]["proporcion_minima"]
    for row in rows:
        row["dia"] = fmt.weekday(row["fecha"])
        row["reporta"] = fmt.ratio(row["tiendas_con_venta"], row["tiendas_abiertas"])
    return view.table(
        Table(
            "dias",
            "Los últimos 28 días",
            [
                Column(
                    "dia",
                    "Día",
                    html=lambda row: (
                        escape(row["dia"])
                        + (
                            f'<span class="sub">{escape(row["nombre_festivo"])}</span>'
                            if row["nombre_festivo"]
                            else ""
                        )
                    ),
                ),
                Column("tiendas_con_venta", "Con venta", "integer", "tiendas_reportadas"),
                Column("tiendas_abiertas", "Abiertas", "integer"),
                Column("numero_tickets", "Tickets", "integer"),
                Column("completo", "Estado", html=state),
            ],
            rows,
            note=f"Un día está completo cuando al menos {fmt.percent(share, 0)} de las tiendas "
            "abiertas ya entregó ventas de ese día o de uno posterior: una tienda chica no vende "
            "todos los días.",
        )
    )


def _published(view: View, rows: list[Row]) -> str:
    def state(row: Row) -> str:
        if row["en_construccion"]:
            return '<span class="estado mal">En construcción</span>'
        if row["probada"]:
            return '<span class="estado bien">Probada</span>'
        return '<span class="estado">Sin probar</span>'

    return view.table(
        Table(
            "publicacion",
            "Qué está publicado",
            [
                Column("relacion", "Relación"),
                Column("publicada_en", "Publicada", "moment", "publicada_en"),
                Column("datos_al", "Datos al", "date"),
                Column("filas", "Filas", "integer"),
                Column("probada", "Estado", html=state),
            ],
            rows,
        )
    )
