"""The simulated world at small scale: what must hold in every delivered row."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from evidence import BANDS, find_affinity, measure_bands, outside_bands, season_index
from hypothesis import given
from hypothesis import strategies as st

from retail_platform.docs.evidence import read_published
from retail_platform.docs.price_effects import PriceEffects, find_price_effects
from retail_platform.simulator.config import config_for
from retail_platform.simulator.parameters import (
    CATEGORIES,
    CATEGORY,
    CHANNELS,
    CROSS_EFFECT,
    FORMATS,
    REGIONS,
)
from retail_platform.simulator.simulation import generate
from retail_platform.simulator.tickets import line_total

END = date(2025, 12, 31)
Query = Callable[[str], list[tuple[Any, ...]]]


def _make(folder: Path, scale: float, years: int, workers: int = 1) -> Path:
    generate(config_for(seed=7, scale=scale, end=END, years=years), END, folder, workers=workers)
    return folder


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((0.1, 3), id="tenth"),
        pytest.param((1.0, 5), id="full", marks=pytest.mark.full),
    ],
)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A delivered world: a tenth of the chain for three years, or all of it for five."""
    scale, years = request.param
    return _make(tmp_path_factory.mktemp("world"), scale, years, workers=2 if scale == 1 else 1)


@pytest.fixture(scope="module")
def smallest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world that `make test` builds its database from."""
    return _make(tmp_path_factory.mktemp("smallest"), 0.01, 5)


@pytest.fixture(scope="module")
def query(world: Path) -> Query:
    """Ask DuckDB about the files: an engine that shares no code with the simulator."""
    return _views(world)


# DuckDB divides in doubles, which would round some halves down; whole numbers do not.
_EXACT_CENTS = """create macro cents(units, price, discount) as
    ((units * 1000)::hugeint * (price * 100)::hugeint * (100 - discount::int) + 50000) // 100000"""


def _views(folder: Path) -> Query:
    session = duckdb.connect()
    session.execute("set threads = 2")
    session.execute(_EXACT_CENTS)
    for table in ("ventas", "inventario", "devoluciones", "pedidos"):
        session.execute(f"create view {table} as select * from '{folder}/{table}/*.parquet'")
    for table in ("productos", "tiendas", "promociones"):
        session.execute(f"create view {table} as select * from '{folder}/{table}.parquet'")
    return lambda text: session.sql(text).fetchall()


def _violations(query: Query, relation: str, condition: str) -> int:
    return int(query(f"select count(*) from {relation} where {condition}")[0][0])


def _manifest(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return document


SOLD = "ventas join tiendas using (tienda_id) join productos using (producto_id)"


@pytest.mark.parametrize(
    "condition",
    [
        "fecha_venta < fecha_apertura",
        "fecha_venta > fecha_cierre",
        "fecha_venta < fecha_lanzamiento",
        "fecha_venta > fecha_retiro",
        "unidades <= 0 or precio_unitario <= 0 or ventas.costo_unitario <= 0",
        "descuento_pct < 0 or descuento_pct > 100",
        # The till has no hour in which the format is closed.
        "formato = 'Hipermercado' and canal = 'tienda' and hour(hora) not between 7 and 22",
    ],
)
def test_no_sale_line_breaks(query: Query, condition: str) -> None:
    assert _violations(query, SOLD, condition) == 0


def test_every_sale_line_has_its_store_and_product(query: Query) -> None:
    assert query(f"select count(*) from {SOLD}") == query("select count(*) from ventas")


def test_a_ticket_has_one_store_day_hour_and_channel_and_numbered_lines(query: Query) -> None:
    tickets = """(select ticket_id, count(distinct (tienda_id, fecha_venta, hora, canal)) heads,
        count(*) lines, count(distinct linea) numbers, max(linea) last_line,
        count(distinct producto_id) products from ventas group by 1)"""
    broken = "heads > 1 or lines <> numbers or lines <> last_line or lines <> products"
    assert _violations(query, tickets, broken) == 0


def test_discounts_are_those_of_the_promotion_in_force(query: Query) -> None:
    promised = f"""({SOLD} left join promociones on promociones.producto_id = ventas.producto_id
        and promociones.formato = tiendas.formato
        and fecha_venta between fecha_inicio and fecha_fin)"""
    unequal = "ventas.descuento_pct <> coalesce(promociones.descuento_pct, 0)"
    assert _violations(query, promised.strip("()"), unequal) == 0
    assert query(f"select count(*) from {promised.strip('()')}") == query(
        "select count(*) from ventas"
    ), "promotions of a product never overlap"


def test_every_stock_row_balances_and_follows_the_one_before(query: Query) -> None:
    chained = """(select *, lag(stock_final) over pair as before, lag(fecha) over pair as since
        from inventario window pair as (partition by tienda_id, producto_id order by fecha))"""
    balance = "stock_inicial + entradas - salidas - merma <> stock_final"
    negative = "least(stock_inicial, entradas, salidas, merma, stock_final) < 0"
    gap = "stock_inicial <> before or fecha - since <> dias_periodo"
    assert _violations(query, chained, f"{balance} or {negative} or {gap}") == 0


def test_stock_rows_account_for_every_unit_sold(query: Query) -> None:
    daily = """(select tienda_id, producto_id, fecha_venta, sum(unidades) as units
        from ventas group by all)"""
    placed = f"""(select i.tienda_id, i.producto_id, i.fecha, sum(d.units) as sold
        from {daily} d asof join inventario i on d.tienda_id = i.tienda_id
        and d.producto_id = i.producto_id and d.fecha_venta <= i.fecha
        where d.fecha_venta > i.fecha - i.dias_periodo::int group by all)"""
    periods = f"inventario left join {placed} using (tienda_id, producto_id, fecha)"
    assert _violations(query, periods, "coalesce(sold, 0) <> salidas") == 0
    assert query("select sum(salidas) from inventario") == query("select sum(unidades) from ventas")


def test_snapshots_are_monthly_and_daily_for_the_last_sixty_days(query: Query) -> None:
    daily = query("select count(distinct fecha) from inventario where fecha > date '2025-11-01'")
    assert daily == [(60,)]
    month_ends = "fecha <= date '2025-10-31' and fecha <> last_day(fecha)"
    ends = f"""inventario join tiendas using (tienda_id) join productos using (producto_id)
        where {month_ends} and fecha is distinct from fecha_cierre
        and fecha is distinct from fecha_retiro and fecha <> date '2025-11-01'"""
    assert query(f"select count(*) from {ends}") == [(0,)]


def test_what_the_shelves_receive_is_what_orders_brought(query: Query) -> None:
    brought = """(select tienda_id, producto_id, fecha_entrega, sum(unidades_recibidas) as units
        from pedidos where fecha_entrega is not null group by all)"""
    placed = f"""(select i.tienda_id, i.producto_id, i.fecha, sum(d.units) as received
        from {brought} d asof join inventario i on d.tienda_id = i.tienda_id
        and d.producto_id = i.producto_id and d.fecha_entrega <= i.fecha
        where d.fecha_entrega > i.fecha - i.dias_periodo::int group by all)"""
    periods = f"inventario left join {placed} using (tienda_id, producto_id, fecha)"
    assert _violations(query, periods, "coalesce(received, 0) <> entradas - reingresos") == 0
    assert query("select sum(entradas - reingresos) from inventario") == query(
        "select sum(unidades_recibidas) from pedidos"
    )


def test_orders_are_whole_cases_of_the_products_supplier(query: Query) -> None:
    ordered = "pedidos p join productos using (producto_id)"
    broken = f"""p.proveedor <> productos.proveedor or unidades_pedidas % piezas_por_caja <> 0
        or unidades_recibidas % piezas_por_caja <> 0 or unidades_recibidas > unidades_pedidas
        or fecha_promesa < fecha_pedido or fecha_entrega < fecha_promesa
        or (fecha_entrega is null) <> (coalesce(fecha_entrega, fecha_promesa + 30) > date '{END}')
        and fecha_promesa > date '{END}' or fecha_entrega > date '{END}'"""
    assert _violations(query, ordered, broken) == 0
    assert query("select count(*) from pedidos where fecha_entrega is null")[0][0] > 0
    assert query("select count(*) - count(distinct (pedido_id, producto_id)) from pedidos") == [
        (0,)
    ]
    heads = query("""select count(*) from (select 1 from pedidos group by pedido_id having
        count(distinct (tienda_id, proveedor, fecha_pedido)) > 1)""")
    assert heads == [(0,)]


def test_the_planted_suppliers_are_found_again(query: Query, world: Path) -> None:
    found = query("""select proveedor, median(fecha_promesa - fecha_pedido), count(*),
        avg((fecha_entrega > fecha_promesa)::int),
        avg((unidades_recibidas = unidades_pedidas)::int)
        from pedidos where fecha_entrega is not null group by 1""")
    planted = _manifest(world)["planted"]["suppliers"]
    assert {name for name, *_ in found} == set(planted)
    for name, lead, lines, late, complete in found:
        assert lead == planted[name]["lead_days"], name
        # Four standard errors; an order is late as a whole, so its lines do not count alone.
        spread = 4 * (0.25 / lines) ** 0.5
        assert late == pytest.approx(planted[name]["late_share"], abs=0.01 + 2 * spread), name
        assert complete == pytest.approx(planted[name]["complete_share"], abs=0.01 + spread), name


def test_stock_turns_and_shrinks_in_its_bands(query: Query) -> None:
    found = query("""select categoria,
        sum(salidas * i.costo_unitario) * 365
            / sum((stock_inicial + stock_final) / 2 * i.costo_unitario * dias_periodo),
        sum(merma * i.costo_unitario) / sum(salidas * i.costo_unitario)
        from inventario i join productos using (producto_id) group by 1""")
    bands = {"Limpieza": (6, 14), "Cuidado Personal": (6, 14), "Electrónica": (4, 9)}
    shrink = {"Frutas y Verduras": (0.04, 0.08), "Carnes y Pescados": (0.03, 0.06)}
    assert {name for name, *_ in found} == set(CATEGORIES)
    for name, turns, lost in found:
        low, high = bands.get(name, (12, 25))
        assert low <= turns <= high, name
        low, high = shrink.get(name, (0, 0.02))
        assert low <= lost <= high, name


def test_weights_are_grams_and_pieces_are_whole(query: Query) -> None:
    shares = dict(
        query("""select unidad_medida, avg((unidades * 1000 % 50 = 0)::int)
        from ventas join productos using (producto_id) group by 1""")
    )
    assert shares["pieza"] == 1
    assert shares["kg"] < 0.05
    pieces = "ventas join productos using (producto_id)"
    assert _violations(query, pieces, "unidad_medida = 'pieza' and unidades % 1 <> 0") == 0


def test_a_return_points_to_its_sale_and_never_exceeds_it(query: Query) -> None:
    joined = """(select d.*, v.tienda_id as t, v.producto_id as p, v.canal as c,
        v.fecha_venta as f, v.unidades as sold,
        cents(v.unidades, v.precio_unitario, v.descuento_pct) as paid,
        s.fecha_cierre from devoluciones d left join ventas v using (ticket_id, linea)
        left join tiendas s on s.tienda_id = v.tienda_id)"""
    broken = """t is distinct from tienda_id or p is distinct from producto_id
        or c is distinct from canal or f is distinct from fecha_venta
        or unidades > sold or unidades <= 0 or importe * 100 > paid
        or fecha_devolucion - fecha_venta not between 1 and 30
        or fecha_devolucion > fecha_cierre"""
    assert _violations(query, joined, broken) == 0
    assert query("select count(*) - count(distinct (ticket_id, linea)) from devoluciones") == [(0,)]


def test_what_goes_back_to_the_shelf_is_in_the_stock(query: Query) -> None:
    back = """(select tienda_id, producto_id, fecha_devolucion, sum(unidades) as units
        from devoluciones where reingresa group by all)"""
    placed = f"""(select i.tienda_id, i.producto_id, i.fecha, sum(d.units) as received
        from {back} d asof join inventario i on d.tienda_id = i.tienda_id
        and d.producto_id = i.producto_id and d.fecha_devolucion <= i.fecha
        where d.fecha_devolucion > i.fecha - i.dias_periodo::int group by all)"""
    periods = f"inventario left join {placed} using (tienda_id, producto_id, fecha)"
    assert _violations(query, periods, "coalesce(received, 0) <> reingresos") == 0
    assert query("select sum(reingresos) from inventario") == query(
        "select sum(unidades) from devoluciones where reingresa"
    )
    assert query("select sum(reingresos) from inventario")[0][0] > 0


def test_returns_follow_the_store_and_the_goods(query: Query, world: Path) -> None:
    planted = _manifest(world)["planted"]["returns"]
    returned = """devoluciones join tiendas using (tienda_id) join productos using (producto_id)"""
    day = "strftime(fecha_devolucion, '%m-%d')"
    closed = f"formato = 'Hipermercado' and {day} in ('12-25', '01-01')"
    assert _violations(query, returned, closed) == 0
    perishable = "categoria in ('Lácteos', 'Carnes y Pescados', 'Frutas y Verduras')"
    assert _violations(query, returned, f"{perishable} and reingresa") == 0
    for name, (store, remote) in planted["reason_weights_by_category"].items():
        impossible = [
            reason
            for reason, weights in zip(planted["reasons"], np.add(store, remote), strict=True)
            if not weights
        ]
        listed = ", ".join(f"'{reason}'" for reason in [*impossible, "?"])
        condition = f"categoria = '{name}' and motivo in ({listed})"
        assert _violations(query, returned, condition) == 0, name
    shelf = query(f"""select motivo, avg(reingresa::int), count(*) from {returned}
        where not {perishable} group by 1""")
    for reason, share, count in shelf:
        told = planted["restocked_by_reason"][reason]
        assert share == pytest.approx(told, abs=0.02 + 4 * (0.25 / count) ** 0.5), reason
    by_month = dict(
        query(f"""select month(fecha_devolucion), count(*) from {returned}
        where categoria = 'Electrónica' group by 1""")
    )
    early = query(f"""select count(*) filter (strftime(fecha_devolucion, '%m-%d') >= '12-26'
            or strftime(fecha_devolucion, '%m-%d') <= '01-10'), count(*)
        from {returned} where categoria in ('Electrónica', 'Cuidado Personal')""")[0]
    assert len(by_month) == 12
    assert early[0] / early[1] > 2 * 16 / 365, "the peak is after Christmas"


def test_online_goods_come_back_more_often(query: Query) -> None:
    rate = dict(
        query("""select v.canal, count(d.devolucion_id) / count(*) from ventas v
        left join devoluciones d using (ticket_id, linea) group by 1""")
    )
    assert rate["online"] > 2 * rate["tienda"]
    returned = query("select (select count(*) from devoluciones) / (select count(*) from ventas)")
    assert 0.003 < returned[0][0] < 0.02


def test_the_manifest_sums_to_the_cent(query: Query, world: Path) -> None:
    totals = _manifest(world)["totals"]
    sums = {
        "ventas": """select strftime(fecha_venta, '%Y-%m'), count(*), count(distinct ticket_id),
            count(*) filter (descuento_pct > 0), sum(unidades),
            sum(cents(unidades, precio_unitario, descuento_pct))::decimal(20, 0) * 0.01
            from ventas group by 1""",
        "devoluciones": """select strftime(fecha_devolucion, '%Y-%m'), count(*), sum(unidades),
            sum(importe) from devoluciones group by 1""",
        "inventario": """select strftime(fecha, '%Y-%m'), count(*), sum(entradas), sum(reingresos),
            sum(salidas), sum(merma) from inventario group by 1""",
        "pedidos": """select strftime(fecha_pedido, '%Y-%m'), count(*), sum(unidades_pedidas),
            sum(unidades_recibidas) from pedidos group by 1""",
    }
    for table, text in sums.items():
        found = {month: [f"{value}" for value in values] for month, *values in query(text)}
        told = {
            month: [str(value) for value in entry.values()]
            for month, entry in totals[table].items()
            if entry["filas"]
        }
        assert found == told, table


def test_cost_and_prices_are_those_of_the_time(query: Query) -> None:
    prices = query("""select count(distinct precio_unitario),
        min(costo_unitario) < max(costo_unitario), count(distinct year(fecha_venta))
        from ventas join tiendas using (tienda_id)
        where formato = 'Supermercado' and region = 'Centro' and producto_id = 1""")
    assert 3 <= prices[0][0] <= 3 * prices[0][2] + 1, "a price is a step that lasts for months"
    assert prices[0][1]
    margin = query("""select 1 - sum(unidades * v.costo_unitario) / sum(unidades * precio_unitario
        * (1 - descuento_pct / 100) / (1 + iva_pct / 100))
        from ventas v join productos using (producto_id)""")
    assert 0.21 < margin[0][0] < 0.27, "Walmex reports 24 %"


def test_the_figures_are_inside_their_bands(world: Path) -> None:
    figures = measure_bands(world)
    assert outside_bands(figures) == {}
    lines = [figures[f"lines_per_ticket_{name.lower()}"] for name in reversed(FORMATS)]
    assert lines == sorted(lines)
    assert set(BANDS) < set(figures)


def test_the_channels_have_their_shares(world: Path) -> None:
    figures = measure_bands(world)
    start, end = (date.fromisoformat(_manifest(world)["world"][key]) for key in ("start", "end"))
    if (end - start).days > 1800:
        shares = [figures[f"ticket_share_{channel}"] for channel in CHANNELS]
        assert shares == pytest.approx([0.85, 0.12, 0.03], abs=0.01)
    monthly = pl.read_parquet(world / "ventas" / f"ventas_{END:%Y%m}.parquet")
    online = monthly.group_by("ticket_id").agg(pl.first("canal"))["canal"] == "online"
    assert online.mean() > figures["ticket_share_online"], "online grows"


@pytest.fixture(scope="module")
def by_price(world: Path) -> PriceEffects:
    """What prices do, as the files tell."""
    return find_price_effects(read_published(world))


def test_the_planted_elasticities_are_found_again(world: Path, by_price: PriceEffects) -> None:
    planted = _manifest(world)["planted"]["elasticity_by_product"]
    well_known = [number for number, error in by_price.error.items() if error < 0.35]
    assert len(well_known) > 0.7 * len(by_price.error)
    found = np.array([by_price.elasticity[number] for number in well_known])
    told = np.array([planted[str(number)] for number in well_known])
    error = np.array([by_price.error[number] for number in well_known])
    assert np.corrcoef(found, told)[0, 1] > 0.9
    assert (np.abs(found - told) < 0.15 * told + 3 * error).all()
    categories = dict(
        pl.read_parquet(world / "productos.parquet")["producto_id", "categoria"].iter_rows()
    )
    of_category = _manifest(world)["planted"]["elasticity_by_category"]
    assert of_category == {name: CATEGORY[name].elasticity for name in CATEGORIES}
    for name in of_category:
        member = [number for number in well_known if categories[number] == name]
        units = np.array([by_price.units[number] for number in member]) + 1e-9
        mean = np.average([by_price.elasticity[number] for number in member], weights=units)
        expected = np.average([planted[str(number)] for number in member], weights=units)
        spread = np.array([by_price.error[number] for number in member]) * units / units.sum()
        assert abs(mean - expected) < 0.1 * expected + 3 * np.sqrt((spread**2).sum()), name


def test_the_planted_price_zones_are_found_again(world: Path, by_price: PriceEffects) -> None:
    planted = _manifest(world)["planted"]["price_zones"]
    assert set(by_price.zones) == {frozenset(zone["regions"]) for zone in planted.values()}


def test_cannibalisation_and_halo_are_found_again(world: Path, by_price: PriceEffects) -> None:
    planted = _manifest(world)["planted"]["cross_effect_by_subcategory"]
    names = list(by_price.cross)
    told = np.array([planted[name] for name in names])
    found = np.array([by_price.cross[name] for name in names])
    assert np.mean(found[told > 0]) == pytest.approx(CROSS_EFFECT, abs=0.15)
    assert np.mean(found[told < 0]) == pytest.approx(np.mean(told[told < 0]), abs=0.2)
    is_full = _manifest(world)["world"]["scale"] == 1
    assert np.corrcoef(found, told)[0, 1] > (0.85 if is_full else 0.6)


def test_costs_change_on_the_suppliers_own_days(query: Query, world: Path) -> None:
    planted = _manifest(world)["planted"]["price_changes"]["cost_change_days"]
    seen = query("""select distinct proveedor, fecha_venta from (
        select producto_id, fecha_venta, costo, lag(costo) over (partition by producto_id
            order by fecha_venta) as antes from (select producto_id, fecha_venta,
            min(costo_unitario) as costo from ventas group by all)) join productos
        using (producto_id)
        where costo <> antes and categoria not in ('Frutas y Verduras', 'Electrónica')
        and subcategoria in ('Tortillas y Pan', 'Refrescos', 'Leche', 'Res', 'Papel', 'Higiene')""")
    assert len({day for _, day in seen}) > 12, "not all on one day"
    for supplier, day in seen:
        late = [(day - date.fromisoformat(told)).days for told in planted[supplier]]
        # What nobody bought on the day of the change shows its new cost at its next sale.
        assert any(0 <= days <= 7 for days in late), (supplier, day)


def test_fresh_produce_changes_its_price_every_week(query: Query) -> None:
    changes = dict(
        query("""select categoria = 'Frutas y Verduras' as fresco, avg(cambia::int) from (
            select producto_id, precio, lag(precio) over (partition by producto_id
                order by semana) <> precio as cambia from (
                select producto_id, date_trunc('week', fecha_venta) as semana,
                    max(precio_unitario) as precio, count(distinct precio_unitario) as precios
                from ventas join tiendas using (tienda_id)
                where formato = 'Supermercado' and region = 'Centro' group by all))
        join productos using (producto_id) group by 1""")
    )
    assert changes[True] > 0.7, "a new label on most Mondays"
    assert changes[False] < 0.1


def test_the_planted_seasons_are_found_again(world: Path) -> None:
    planted = _manifest(world)["planted"]["season_index_by_category_and_month"]
    found = season_index(world)
    assert set(found) == set(planted) == set(CATEGORIES)
    for name, index in planted.items():
        assert found[name] == pytest.approx(index, rel=0.12), name


def test_the_planted_affinities_are_found_again(world: Path) -> None:
    planted = _manifest(world)["planted"]["affinities"]
    found = {
        (pair["producto_id"], pair["con_producto_id"]): pair["probability"] for pair in planted
    }
    measured = {pair: find_affinity(world, *pair) for pair in found}
    seen = [pair for pair in found if np.isfinite(measured[pair])]
    assert len(seen) >= 8, "pairs that are on sale at the same time"
    for pair in seen:
        assert measured[pair] == pytest.approx(found[pair], rel=0.25), pair


def test_stores_are_open_at_their_hours(query: Query, world: Path) -> None:
    hours = _manifest(world)["planted"]["opening_hours_by_format"]
    kind = """case when strftime(fecha_venta, '%m-%d') in ('12-25', '01-01') then 'holiday'
        when strftime(fecha_venta, '%m-%d') in ('12-24', '12-31') then 'early'
        when isodow(fecha_venta) > 5 then 'weekend' else 'weekday' end"""
    seen = {
        (name, day): (first, last)
        for name, day, first, last in query(f"""select formato, {kind} as dia, min(hour(hora)),
            max(hour(hora)) from ventas join tiendas using (tienda_id)
            where canal = 'tienda' group by 1, 2""")
    }
    for name, by_day in hours.items():
        for day, (opens, closes) in by_day.items():
            if opens == closes:
                assert (name, day) not in seen, "closed"
            else:
                first, last = seen[name, day]
                assert opens <= first and last < closes, (name, day)
    assert _violations(query, SOLD, f"formato = 'Hipermercado' and {kind} = 'holiday'") == 0


def test_the_planted_character_of_stores_is_found_again(query: Query, world: Path) -> None:
    planted = _manifest(world)["planted"]["stores"]
    is_full = _manifest(world)["world"]["scale"] == 1
    ordinary = "dayofyear(fecha_venta) between 10 and 330"
    found = query(f"""select tienda_id, formato, count(*),
        avg((isodow(fecha_venta) > 5)::int) filter ({ordinary}),
        avg((hour(hora) < 11)::int) filter (canal = 'tienda' and isodow(fecha_venta) <= 5)
        from ventas join tiendas using (tienda_id) group by all""")
    known = [row for row in found if row[2] > 8_000]
    assert len(known) > 12
    weekend = [planted[str(number)]["weekend_share"] for number, *_ in known]
    assert np.corrcoef([row[3] for row in known], weekend)[0, 1] > 0.9
    for name in FORMATS:
        of_format = [row for row in known if row[1] == name]
        if len(of_format) >= 8:
            part = np.array([planted[str(row[0])]["part_of_day"] for row in of_format])
            morning = np.log(part[:, 0] / part[:, 1:].mean(axis=1))
            seen = [np.log(row[4] / (1 - row[4])) for row in of_format]
            assert np.corrcoef(seen, morning)[0, 1] > 0.9, name
    if is_full:
        yearly = query("""select tienda_id, list(lines order by anno) from (
            select tienda_id, year(fecha_venta) as anno, count(*) as lines from ventas
            where year(fecha_venta) > (select min(year(fecha_venta)) from ventas) group by all)
            join tiendas using (tienda_id) where fecha_cierre is null
            and fecha_inicio_remodelacion is null and fecha_apertura < date '2019-01-01'
            group by 1 having count(*) >= 4 and min(lines) > 8000""")
        growth = [np.polyfit(range(len(n)), np.log(n), 1)[0] for _, n in yearly]
        told = [planted[str(number)]["growth"] for number, _ in yearly]
        assert np.corrcoef(growth, told)[0, 1] > 0.85


def test_regions_are_paid_as_planted_and_remember_yesterday(query: Query, world: Path) -> None:
    planted = _manifest(world)["planted"]
    is_full = _manifest(world)["world"]["scale"] == 1
    rows = query("""select fecha_venta, region, count(*) from ventas join tiendas using (tienda_id)
        where linea = 1 group by all order by all""")
    tickets = pl.DataFrame(rows, schema=["day", "region", "tickets"], orient="row").pivot(
        on="region", index="day", values="tickets"
    )
    days = tickets["day"].dt
    # Around New Year the formats that are closed weigh differently in the regions.
    ordinary = days.ordinal_day().is_between(8, 350).to_numpy()
    payday = (days.day().is_in([1, 2, 15, 16]) | (tickets["day"] == days.month_end())).to_numpy()
    share = np.log(tickets.drop("day").fill_null(1).to_numpy())
    share = share - share.mean(axis=1, keepdims=True)
    counts = ordinary & ~payday
    for groups in (days.weekday().to_numpy(), np.arange(len(share)) // 182):
        for group in np.unique(groups):
            if (inside := (groups == group) & counts).any():
                share[groups == group] -= share[inside].mean(axis=0)
    extra = share[payday & ordinary].mean(axis=0)
    told = [planted["payday_factor_by_region"][name] for name in tickets.columns[1:]]
    # A region of the small chain has thirty tickets a day.
    assert np.corrcoef(extra, told)[0, 1] > (0.8 if is_full else 0.4)
    if is_full:
        one, two = (
            (share[lag:] * share[:-lag])[counts[lag:] & counts[:-lag]].mean() for lag in (1, 2)
        )
        memory, sigma = planted["region_day"]["memory"], planted["region_day"]["sigma"]
        assert two / one == pytest.approx(memory, abs=0.12)
        # The mean of the six regions is taken out, and with it a sixth of the variance.
        assert (one / memory * 6 / 5) ** 0.5 == pytest.approx(sigma, rel=0.15)


def test_chain_and_catalogue_change_up_to_the_end(query: Query, world: Path) -> None:
    if _manifest(world)["world"]["scale"] < 1:
        pytest.skip("the smaller chain opens one store in four years")
    events = query("""select 'opening', fecha_apertura from tiendas
        union all select 'closing', fecha_cierre from tiendas
        union all select 'works', fecha_inicio_remodelacion from tiendas
        union all select 'launch', fecha_lanzamiento from productos""")
    for name in ("opening", "closing", "works", "launch"):
        days = [day for kind, day in events if kind == name and day is not None]
        assert len({day.year for day in days if day.year > 2020}) >= 4, name
        # Two stores close a year, drawn one by one: a year without any is one in seven.
        assert max(days).year >= (2024 if name == "closing" else 2025), name
    works = query("""select min(fecha_remodelacion - fecha_inicio_remodelacion),
        max(fecha_remodelacion - fecha_inicio_remodelacion) from tiendas""")[0]
    assert 14 <= works[0] < works[1] <= 45


def test_the_catalogue_has_the_last_value_of_what_changed(query: Query, world: Path) -> None:
    changes = _manifest(world)["planted"]["attribute_changes"]
    last = {(c["table"], c["number"], c["column"]): c["after"] for c in changes}
    assert {column for _, _, column in last} >= {"gerencia", "categoria", "subcategoria"}
    keys = {"tiendas": "tienda_id", "productos": "producto_id"}
    for (table, number, column), value in last.items():
        found = query(f"select {column} from {table} where {keys[table]} = {number}")
        assert found in ([(value,)], []), (table, number)


def test_the_stock_out_rate_is_the_one_told(query: Query, world: Path) -> None:
    told = _manifest(world)["observed"]["stock_out_rate"]
    seen = query("select avg((stock_final = 0)::int) from inventario where dias_periodo = 1")
    assert seen[0][0] == pytest.approx(told, abs=0.02)
    assert 0.04 <= told <= 0.10


def test_the_smallest_world_has_everything(smallest: Path) -> None:
    query = _views(smallest)
    assert 100_000 < query("select count(*) from ventas")[0][0] < 170_000
    last = query(f"""select count(distinct categoria), count(distinct region),
        count(distinct cadena), count(distinct formato), count(distinct canal),
        count(*) filter (categoria = 'Electrónica' and region = 'Norte')
        from {SOLD} where fecha_venta > date '{END}' - 30""")[0]
    assert last[:5] == (len(CATEGORIES), len(REGIONS), 4, len(FORMATS), len(CHANNELS))
    assert last[5] >= 5
    chains = query(f"""select cadena, count(*) from {SOLD}
        where fecha_venta > date '{END}' - 7 group by 1""")
    assert {"HyperMarket", "Supermercado"} < {name for name, _ in chains}
    states = query(f"""select count(*) filter (stock_final = 0), count(*) filter (stock_final > 0)
        from inventario join tiendas using (tienda_id)
        where fecha = date '{END}' and cadena = 'Supermercado'""")[0]
    assert min(states) > 0
    figures = measure_bands(smallest)
    assert outside_bands(figures) == {}


@given(quantity=st.integers(1, 10**6), price=st.integers(0, 10**7), discount=st.integers(0, 100))
def test_line_totals_are_rounded_half_up_as_postgresql_does(
    quantity: int, price: int, discount: int
) -> None:
    cents = line_total(np.array([quantity]), np.array([price]), np.array([discount]))[0]
    doubled = 2 * quantity * price * (100 - discount) - 2 * 100_000 * int(cents)
    assert -100_000 <= doubled < 100_000
