"""Every metric = SQL on other marts = SQL on published views, cell by cell."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime

import pytest
from conftest import PROJECT, Database, run_script

from retail_platform.errors import UserError

pytest.importorskip("metricflow", reason="the extra [metrics] is not installed (make metrics)")

from retail_platform.metrics import Metrics, Question  # noqa: E402

Key = tuple[date, str]
Cells = dict[str, dict[Key, float]]

SUMS = (
    "venta_bruta, descuento, total_ventas, ventas_sin_iva, devoluciones, devoluciones_sin_iva, "
    "ventas_netas, costo_ventas, costo_devuelto, margen, numero_tickets, lineas, articulos, "
    "unidades"
).split(", ")
OF_PRODUCTS = "total_ventas, ventas_netas, margen, unidades".split(", ")
SAME_STORES = "ventas_mismas_tiendas, ventas_mismas_tiendas_anterior, tickets_mismas_tiendas, " + (
    "tickets_mismas_tiendas_anterior"
)
# The formulas of the definitions, by hand.
RATIOS = {
    "margen_sobre_ventas": ("margen", "ventas_netas"),
    "ticket_promedio": ("total_ventas", "numero_tickets"),
    "articulos_por_ticket": ("articulos", "numero_tickets"),
    "precio_medio_articulo": ("total_ventas", "articulos"),
    "descuento_sobre_venta": ("descuento", "venta_bruta"),
    "tasa_devolucion": ("devoluciones", "total_ventas"),
    "ventas_por_dia_tienda": ("total_ventas", "dias_tienda"),
    "indice_mismas_tiendas": ("ventas_mismas_tiendas", "ventas_mismas_tiendas_anterior"),
    "indice_trafico": ("tickets_mismas_tiendas", "tickets_mismas_tiendas_anterior"),
    "ticket_mismas_tiendas": ("ventas_mismas_tiendas", "tickets_mismas_tiendas"),
    "ticket_mismas_tiendas_anterior": (
        "ventas_mismas_tiendas_anterior",
        "tickets_mismas_tiendas_anterior",
    ),
    "participacion_promocion": ("total_ventas_promocion", "total_ventas_producto"),
}

# The metrics read the day by store and channel, or the comparisons by store; these do not.
MARTS = {
    "tienda": f"""
        select date_trunc('month', fecha)::date, tienda_id::text,
            {", ".join(f"sum({name})" for name in SUMS)}, count(*) filter (where es_dia_abierto)
        from retail.agg_ventas_dia_tienda group by 1, 2
    """,
    "mismas": """
        select date_trunc('month', hoy.fecha)::date, hoy.tienda_id::text,
            sum(hoy.total_ventas), sum(antes.total_ventas),
            sum(hoy.numero_tickets), sum(antes.numero_tickets)
        from retail.agg_ventas_dia_tienda hoy
        join retail.agg_ventas_dia_tienda antes
            on antes.tienda_id = hoy.tienda_id and antes.fecha = hoy.fecha - 364
        join retail.dim_tienda t on t.tienda_id = hoy.tienda_id
        where hoy.es_dia_abierto and antes.es_dia_abierto
            and not hoy.en_remodelacion and not antes.en_remodelacion
            and antes.fecha > (date_trunc('month', t.fecha_apertura) + interval '1 month - 1 day')
            and hoy.fecha <= (select fecha_corte from retail.corte)
        group by 1, 2
    """,
    "categoria": f"""
        select mes, categoria, {", ".join(f"sum({name})" for name in OF_PRODUCTS)}
        from retail.agg_ventas_mes_tienda_producto join retail.dim_producto using (producto_id)
        group by 1, 2
    """,
    "promocion": """
        select date_trunc('month', fecha)::date, categoria,
            sum(total_ventas) filter (where es_promocion)
        from retail.agg_ventas_dia_region_producto join retail.dim_producto using (producto_id)
        group by 1, 2
    """,
}
# Line by line from the views with the business's names.
SOLD = """
    select date_trunc('month', fecha_venta)::date mes, v.tienda_id::text tienda, categoria,
        v.*, round(v.unidades * precio_unitario, 2) bruta,
        round(total_linea / (1 + iva_pct / 100), 2) sin_iva,
        round(v.unidades * v.costo_unitario, 2) costo,
        case when unidad_medida = 'kg' or v.unidades % 1 <> 0 then 1 else v.unidades end pieza
    from retail.ventas v join retail.productos using (producto_id)
"""
BACK = """
    select date_trunc('month', fecha_devolucion)::date mes, d.tienda_id::text tienda, categoria,
        importe, round(importe / (1 + iva_pct / 100), 2) sin_iva,
        case when reingresa then round(d.unidades * d.costo_unitario, 2) else 0 end costo
    from retail.devoluciones d join retail.productos using (producto_id)
"""
VIEWS = {
    by: f"""
        select mes, {by}, {columns}
        from (
            select mes, {by}, sum(bruta) bruta, sum(total_linea) total, sum(sin_iva) sin_iva,
                sum(costo) costo, count(distinct ticket_id) tickets, count(*) lineas,
                sum(pieza) articulos, sum(unidades) unidades,
                sum(total_linea) filter (where descuento_pct > 0) promocion
            from ({SOLD}) s group by 1, 2
        ) s
        full join (
            select mes, {by}, sum(importe) d_importe, sum(sin_iva) d_sin_iva, sum(costo) d_costo
            from ({BACK}) b group by 1, 2
        ) b using (mes, {by})
    """
    for by, columns in {
        "tienda": (
            "bruta, bruta - total, total, sin_iva, coalesce(d_importe, 0), coalesce(d_sin_iva, 0), "
            "coalesce(sin_iva, 0) - coalesce(d_sin_iva, 0), costo, coalesce(d_costo, 0), "
            "coalesce(sin_iva, 0) - coalesce(d_sin_iva, 0) - coalesce(costo, 0) "
            "+ coalesce(d_costo, 0), tickets, lineas, articulos, unidades"
        ),
        "categoria": (
            "total, sin_iva - coalesce(d_sin_iva, 0), "
            "sin_iva - coalesce(d_sin_iva, 0) - costo + coalesce(d_costo, 0), unidades, promocion"
        ),
    }.items()
}
PERIODS = f"""
    select desde, valor, {SAME_STORES}
    from retail.mv_kpi_periodos
    where periodo = 'mes' and dimension = 'tienda' and dias_tienda_mismas > 0
"""
PRODUCT_NAMES = [f"{name}_producto" for name in OF_PRODUCTS]
DAYS_OPEN = """
    select date_trunc('month', fecha)::date, tienda_id::text, count(*)
    from retail.mv_daily_store_sales group by 1, 2
"""


@pytest.fixture(scope="module")
def metrics(built_database: Database) -> Metrics:
    """The metrics as the build parsed them."""
    return Metrics(built_database.folder / "target" / "semantic_manifest.json")


@pytest.fixture(scope="module")
def answered(metrics: Metrics, built_database: Database) -> Cells:
    """Every metric by month and store, or month and category."""
    found: Cells = {}
    of_products = [*PRODUCT_NAMES, "total_ventas_promocion", "participacion_promocion"]
    of_stores = [name for name in metrics.labels() if name not in of_products]
    with closing(built_database.connect()) as session:
        for names, by in ((of_stores, "tienda"), (of_products, "producto__categoria")):
            question = Question(names, ["metric_time__month", by])
            columns, rows = metrics.ask(session, question)
            for month, member, *values in rows:
                key = (month.date() if isinstance(month, datetime) else month, str(member))
                for name, value in zip(columns[2:], values, strict=True):
                    if value is not None:
                        found.setdefault(name, {})[key] = float(value)
    return found


def cells(database: Database, query: str, names: list[str]) -> Cells:
    """The answer of a query (month, member, values) by name and cell, and the ratios of it."""
    found: Cells = {name: {} for name in names}
    for month, member, *values in database.query(query):
        for name, value in zip(names, values, strict=True):
            if value is not None:
                found[name][month, member] = float(value)
    return found


def add_ratios(found: Cells) -> Cells:
    """Ratios whose parts are there; none of nothing."""
    for name, (part, whole) in RATIOS.items():
        if part in found and whole in found:
            found[name] = {
                key: found[part][key] / divisor
                for key, divisor in found[whole].items()
                if divisor and key in found[part]
            }
    return found


@pytest.fixture(scope="module")
def from_marts(built_database: Database) -> Cells:
    return add_ratios(
        cells(built_database, MARTS["tienda"], [*SUMS, "dias_tienda"])
        | cells(built_database, MARTS["mismas"], SAME_STORES.split(", "))
        | cells(built_database, MARTS["categoria"], PRODUCT_NAMES)
        | cells(built_database, MARTS["promocion"], ["total_ventas_promocion"])
    )


@pytest.fixture(scope="module")
def from_views(built_database: Database) -> Cells:
    return add_ratios(
        cells(built_database, VIEWS["tienda"], SUMS)
        | cells(built_database, DAYS_OPEN, ["dias_tienda"])
        | cells(built_database, PERIODS, SAME_STORES.split(", "))
        | cells(built_database, VIEWS["categoria"], [*PRODUCT_NAMES, "total_ventas_promocion"])
    )


def test_every_metric_is_the_sql_on_the_marts(answered: Cells, from_marts: Cells) -> None:
    assert set(answered) == set(from_marts)
    for name, found in answered.items():
        same(name, found, from_marts[name], lambda key: True)


def test_every_metric_is_the_published_view(answered: Cells, from_views: Cells) -> None:
    assert set(answered) == set(from_views)
    periods = from_views["ventas_mismas_tiendas"]
    compared = {*SAME_STORES.split(", ")}
    compared |= {name for name, parts in RATIOS.items() if set(parts) <= compared}
    for name, found in answered.items():
        same(
            name,
            found,
            from_views[name],
            (lambda key: key in periods) if name in compared else (lambda key: True),
        )


def same(
    name: str,
    found: dict[Key, float],
    expected: dict[Key, float],
    counts: Callable[[Key], bool],
) -> None:
    """Equal in at least a hundred cells, and in all that count; no row is a sum of nothing."""
    chosen = {key: value for key, value in found.items() if counts(key)}
    assert len([key for key in chosen if key in expected]) >= 100, name
    for key in chosen.keys() | {key for key in expected if counts(key)}:
        assert chosen.get(key, 0) == pytest.approx(expected.get(key, 0), rel=1e-9, abs=1e-9), (
            name,
            key,
        )


def test_the_page_lists_every_metric(metrics: Metrics) -> None:
    text = (PROJECT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    told = [(name, *labels) for name, labels in metrics.labels().items()]
    assert sorted(rows) == sorted(told)
    labels = [label for _, label, _ in told]
    assert all(labels) and len(set(labels)) == len(labels)


def test_names_that_do_not_exist_are_refused(metrics: Metrics) -> None:
    with pytest.raises(UserError, match="got 'ventas'; allowed are .*ventas_netas"):
        metrics.sql(Question(["ventas"]))
    with pytest.raises(UserError, match="MetricFlow cannot answer this"):
        metrics.sql(Question(["ventas_netas"], ["tienda__pais"]))


def test_the_command_lists_and_answers(built_database: Database, metrics: Metrics) -> None:
    folder = {"DBT_TARGET_PATH": str(built_database.folder / "target")}
    environment = built_database.environment | folder
    listed = run_script("metrics.py", env=environment).stdout
    assert "Ventas a mismas tiendas" in listed
    answer = run_script(
        *("metrics.py", "--target", "ci", "--metrics", "ventas_netas", "--csv"),
        *("--group-by", "tienda__cadena", "--order", "-ventas_netas"),
        *("--where", "{{ Dimension('tienda__region') }} = 'Norte'"),
        env=environment,
    ).stdout.splitlines()
    expected = built_database.query(
        "select cadena, sum(ventas_netas) from retail.agg_ventas_dia_tienda "
        "join retail.dim_tienda using (tienda_id) where region = 'Norte' group by 1 order by 2 desc"
    )
    assert answer == [
        "tienda__cadena,ventas_netas",
        *(f"{name},{value}" for name, value in expected),
    ]
