"""What was planted in the simulated world, found again in the published marts alone.

The full-size estimates are those of test_simulator_world.py, from the files; that the marts hold
what the files do is tested by test_models_independent.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
import pytest
from conftest import PROJECT, Database

from retail_platform.docs.price_effects import Published, find_price_effects
from retail_platform.reporting.statements import render


@pytest.fixture(scope="module")
def planted(generated_data: Path) -> dict[str, Any]:
    """The truth that the manifest tells."""
    document: dict[str, Any] = json.loads((generated_data / "manifest.json").read_text())
    return dict(document["planted"])


def _frame(database: Database, columns: dict[str, Any], statement: str) -> pl.DataFrame:
    rows = [
        tuple(float(v) if type(v).__name__ == "Decimal" else v for v in row)
        for row in database.query(statement)
    ]
    return pl.DataFrame(rows, schema=columns, orient="row")


def test_suppliers_keep_their_promises_as_planted(
    built_database: Database, planted: dict[str, Any]
) -> None:
    found = built_database.query("""
        select proveedor,
            percentile_disc(0.5) within group (order by fecha_promesa - fecha_pedido),
            avg((fecha_entrega > fecha_promesa)::int)::float8,
            avg((unidades_recibidas = unidades_pedidas)::int)::float8, count(*)
        from retail.pedidos where fecha_entrega is not null group by 1
    """)
    assert {name for name, *_ in found} == set(planted["suppliers"])
    for name, lead, late, complete, lines in found:
        told, spread = planted["suppliers"][name], 4 * (0.25 / lines) ** 0.5
        assert lead == told["lead_days"]
        assert late == pytest.approx(told["late_share"], abs=spread)
        assert complete == pytest.approx(told["complete_share"], abs=spread)


def test_receipts_of_the_stock_are_those_of_the_orders(built_database: Database) -> None:
    [(received, brought)] = built_database.query("""
        select (select sum(entradas - reingresos) from retail.inventario),
            (select sum(unidades_recibidas) from retail.pedidos)
    """)
    [(restocked, returned)] = built_database.query("""
        select (select sum(reingresos) from retail.inventario),
            (select sum(unidades) from retail.devoluciones where reingresa)
    """)
    assert (received, restocked) == (brought, returned)
    assert received > 0


def test_lost_sales_are_those_that_customers_wanted(
    built_database: Database, generated_data: Path
) -> None:
    """The estimate knows what was sold only; the manifest what was wanted, of all five years."""
    observed = json.loads((generated_data / "manifest.json").read_text())["observed"]
    [(found, empty)] = built_database.query("""
        select (sum(unidades_perdidas) / sum(salidas_observadas + unidades_perdidas))::float8,
            (sum(dias_cierre_sin_stock) / sum(dias_observados))::float8
        from retail.mv_desempeno_producto
        where periodo = 'ultimos_91' and dimension = 'total'
    """)
    assert found == pytest.approx(observed["lost_units_share"], rel=0.35)
    assert empty == pytest.approx(observed["stock_out_rate"], rel=0.35)


def test_service_levels_are_quantiles(built_database: Database) -> None:
    levels = built_database.query(
        "select nivel_servicio_pct::float8, z::float8 from retail.ref_nivel_servicio"
    )
    assert len(levels) == 3
    for level, z in levels:
        assert z == pytest.approx(NormalDist().inv_cdf(level / 100), abs=5e-5)


def test_prices_move_demand_as_planted(built_database: Database, planted: dict[str, Any]) -> None:
    published = Published(
        sold=_frame(
            built_database,
            {
                **dict.fromkeys(("region", "formato"), pl.String),
                "producto_id": pl.Int64,
                "fecha_venta": pl.Date,
                **dict.fromkeys(("unidades", "precio_unitario"), pl.Float64),
            },
            """select region, formato, producto_id, fecha_venta, sum(unidades),
                min(precio_unitario)
            from retail.ventas join retail.tiendas using (tienda_id) group by 1, 2, 3, 4""",
        ),
        products=_frame(
            built_database,
            {
                "producto_id": pl.Int64,
                **dict.fromkeys(("categoria", "subcategoria"), pl.String),
                **dict.fromkeys(("fecha_lanzamiento", "fecha_retiro"), pl.Date),
            },
            """select producto_id, categoria, subcategoria, fecha_lanzamiento, fecha_retiro
            from retail.productos""",
        ),
        promotions=_frame(
            built_database,
            {
                "producto_id": pl.Int64,
                "formato": pl.String,
                **dict.fromkeys(("fecha_inicio", "fecha_fin"), pl.Date),
                "descuento_pct": pl.Float64,
            },
            """select producto_id, formato, fecha_inicio, fecha_fin, descuento_pct
            from retail.promociones""",
        ),
    )
    found = find_price_effects(published)
    zones = {frozenset(zone["regions"]) for zone in planted["price_zones"].values()}
    assert set(found.zones) == zones
    known = [number for number, error in found.error.items() if error < 0.5]
    assert len(known) > 20
    _assert_planted_on_average(
        [(number, found.elasticity[number], found.error[number]) for number in known], planted
    )


def test_list_prices_alone_move_demand_as_planted(
    built_database: Database, planted: dict[str, Any]
) -> None:
    statement = render(PROJECT / "analyses" / "ad_hoc" / "elasticidad_precio_lista.sql")
    rows = built_database.query(statement)
    assert all(observations >= 52 for *_, observations, _, _ in rows)
    known = [
        (product, -float(elasticity), float(error))
        for _, _, product, _, _, elasticity, error in rows
        if error < 1
    ]
    assert len({product for product, *_ in known}) > 20
    _assert_planted_on_average(known, planted)


def _assert_planted_on_average(
    found: list[tuple[int, float, float]], planted: dict[str, Any]
) -> None:
    """The mean of elasticities of products, weighted by their precision, is that of the truth."""
    products, elasticities, errors = zip(*found, strict=True)
    weight = np.array(errors) ** -2
    mean = np.average(elasticities, weights=weight)
    told = np.average(
        [planted["elasticity_by_product"][str(number)] for number in products], weights=weight
    )
    assert abs(mean - told) < 0.1 * told + 3 * weight.sum() ** -0.5


def test_stores_open_at_the_planted_hours(
    built_database: Database, planted: dict[str, Any]
) -> None:
    found = built_database.query("""
        select formato,
            case when to_char(fecha_venta, 'MM-DD') in ('12-25', '01-01') then 'holiday'
                when to_char(fecha_venta, 'MM-DD') in ('12-24', '12-31') then 'early'
                when extract(isodow from fecha_venta) > 5 then 'weekend' else 'weekday' end,
            min(extract(hour from hora))::int, max(extract(hour from hora))::int
        from retail.ventas join retail.tiendas using (tienda_id)
        where canal = 'tienda' group by 1, 2
    """)
    hours = planted["opening_hours_by_format"]
    open_days = {(n, d) for n, days in hours.items() for d, (a, b) in days.items() if a < b}
    assert {(name, day) for name, day, *_ in found} == open_days
    for name, day, first, last in found:
        opens, closes = hours[name][day]
        assert opens <= first and last < closes, (name, day)


def test_stores_have_the_planted_weekends(
    built_database: Database, planted: dict[str, Any]
) -> None:
    found = built_database.query("""
        select tienda_id, sum(numero_tickets)::int,
            sum(numero_tickets) filter (where es_fin_de_semana)::float8
            / sum(numero_tickets)::float8
        from retail.agg_ventas_dia_tienda join retail.dim_calendario using (fecha)
        where anno_iso = anno and semana_iso between 3 and 46 group by 1
    """)
    assert len(found) == len(planted["stores"])
    share = [share for *_, share in found]
    told = [planted["stores"][str(store)]["weekend_share"] for store, *_ in found]
    for (_, tickets, seen), expected in zip(found, told, strict=True):
        assert seen == pytest.approx(expected, abs=0.01 + 4 * (0.25 / tickets) ** 0.5)
    assert np.corrcoef(share, told)[0, 1] > 0.8


def test_returns_are_the_planted_ones(built_database: Database, planted: dict[str, Any]) -> None:
    told = planted["returns"]
    found = built_database.query("""
        select motivo, avg(reingresa::int)::float8, count(*)
        from retail.devoluciones join retail.productos using (producto_id)
        where categoria not in ('Lácteos', 'Carnes y Pescados', 'Frutas y Verduras') group by 1
    """)
    assert {reason for reason, *_ in found} <= set(told["reasons"])
    for reason, share, count in found:
        spread = 0.05 + 4 * (0.25 / count) ** 0.5
        assert share == pytest.approx(told["restocked_by_reason"][reason], abs=spread), reason
    rate = dict(
        built_database.query("""
            select canal = 'tienda', count(devolucion_id)::float8 / count(*)
            from retail.ventas left join retail.devoluciones using (ticket_id, linea, canal)
            group by 1
        """)
    )
    assert rate[False] > 2 * rate[True]
