"""The ad hoc queries: each runs, has rows, and gives what an independent computation gives."""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import EMPTY_IN_THE_SMALL_WORLD, PROJECT, Database

from retail_platform.reporting.statements import fetch, render

ANALYSES = sorted((PROJECT / "analyses" / "ad_hoc").glob("*.sql"))


def ask(database: Database, name: str) -> list[tuple]:
    with closing(database.connect()) as session:
        return fetch(session, render(PROJECT / "analyses" / "ad_hoc" / f"{name}.sql"))


def ask_changed(database: Database, name: str, **changed: str) -> list[dict[str, Any]]:
    """Ask of a world in which relations hold what queries give, and forget it again."""
    path = PROJECT / "analyses" / "ad_hoc" / f"{name}.sql"
    with closing(database.connect()) as session, session.cursor() as cursor:
        for relation, query in changed.items():
            cursor.execute(f"create temporary table {relation} as {query}")
        cursor.execute(render(path, {relation: f"pg_temp.{relation}" for relation in changed}))
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor]


def last_complete_day(database: Database) -> date:
    """The cut-off date, which test_models_independent.py computes from the files."""
    day = database.query("select fecha_corte from retail.corte")[0][0]
    assert isinstance(day, date)
    return day


def test_there_are_enough_of_them() -> None:
    assert len(ANALYSES) >= 15


@pytest.mark.parametrize("path", ANALYSES, ids=lambda path: path.stem)
def test_each_query_returns_rows(built_database: Database, path: Path) -> None:
    assert ask(built_database, path.stem) or path.stem in EMPTY_IN_THE_SMALL_WORLD


def test_shares_of_the_channels_add_up_to_everything(built_database: Database) -> None:
    quarters: dict[object, float] = {}
    for quarter, _, _, _, share in ask(built_database, "mezcla_canal"):
        quarters[quarter] = quarters.get(quarter, 0) + float(share)
    assert all(total == pytest.approx(100, abs=0.02) for total in quarters.values())


@pytest.mark.parametrize("name", ["mezcla_canal", "margen_categoria"])
def test_a_quarter_that_the_data_begin_in_is_left_out(built_database: Database, name: str) -> None:
    first, last = built_database.query(
        """
        select min(fecha), (select fecha_corte from retail.corte)
        from retail.agg_ventas_dia_tienda
        """
    )[0]
    assert (first.month % 3, first.day) == (1, 1), "the small world begins with a quarter"
    whole = {row["trimestre"] for row in ask_changed(built_database, name)}
    assert min(whole) == first and max(whole) + timedelta(days=90) <= last
    later = f"select * from retail.agg_ventas_dia_tienda where fecha > '{first}'"
    rows = ask_changed(built_database, name, agg_ventas_dia_tienda=later)
    assert {row["trimestre"] for row in rows} == whole - {first}


def test_managers_are_compared_by_whole_months(built_database: Database) -> None:
    days = "select * from retail.agg_ventas_dia_tienda where fecha > '2021-01-01'"
    early = "select date '2025-03-30' as fecha_corte"
    rows = ask_changed(
        built_database, "ventas_gerencia_vigente", agg_ventas_dia_tienda=days, corte=early
    )
    months = {row["mes"] for row in rows}
    assert (min(months), max(months)) == (date(2021, 2, 1), date(2025, 2, 1))
    total = sum(row["ventas_netas"] for row in rows)
    assert total == sum(row["ventas_netas_tiendas_actuales"] for row in rows)
    assert [(total,)] == built_database.query(
        "select sum(ventas_netas) from retail.agg_ventas_dia_tienda"
        " where fecha >= '2021-02-01' and fecha < '2025-03-01'"
    )


def test_stores_are_ranked_by_their_open_days_without_works(built_database: Database) -> None:
    """A closed store takes a late return; another one is in works for ten days, and sells some."""
    [(day, closed, works)] = built_database.query(
        """
        select (date_trunc('month', fecha_corte + 1) - interval '1 month')::date,
            (select min(tienda_id) from retail.dim_tienda where activo),
            (select max(tienda_id) from retail.dim_tienda where activo)
        from retail.corte
        """
    )
    columns = [
        name
        for (name,) in built_database.query(
            "select attname from pg_attribute where attnum > 0 and attname not in"
            " ('es_dia_abierto', 'en_remodelacion')"
            " and attrelid = 'retail.agg_ventas_dia_tienda'::regclass order by attnum"
        )
    ]
    in_works = f"tienda_id = {works} and fecha between '{day}' and '{day + timedelta(days=9)}'"
    days = f"""
        select {", ".join(columns)}, es_dia_abierto and tienda_id <> {closed} as es_dia_abierto,
            {in_works} as en_remodelacion
        from retail.agg_ventas_dia_tienda
    """
    rows = ask_changed(built_database, "ranking_tiendas", agg_ventas_dia_tienda=days)
    found = {row["nombre_tienda"]: row["ventas_m2_dia"] for row in rows}
    names = dict(built_database.query("select tienda_id, nombre_tienda from retail.dim_tienda"))
    assert names[closed] not in found and names[works] in found
    [(expected,)] = built_database.query(
        f"""
        select round(sum(total_ventas) / max(superficie_m2) / count(*), 2)
        from retail.agg_ventas_dia_tienda inner join retail.dim_tienda using (tienda_id)
        where tienda_id = {works} and not ({in_works})
            and fecha >= '{day}' and fecha < date '{day}' + interval '1 month'
        """
    )
    assert found[names[works]] == expected


def test_more_lines_returned_than_sold_have_no_standard_error(built_database: Database) -> None:
    returns = """
        select mes, dimension, valor, lineas, articulos, devoluciones,
            case when valor = '1' then lineas + 1 else lineas_devueltas end as lineas_devueltas,
            case when valor = '1' then articulos + 1 else articulos_devueltos end
                as articulos_devueltos
        from retail.retornos
    """
    rows = ask_changed(built_database, "devoluciones_producto", retornos=returns)
    assert rows[0]["tasa_pct"] > 100 and rows[0]["error_pct"] is None
    assert all(row["error_pct"] > 0 for row in rows[1:] if row["articulos_devueltos"])


def test_a_month_is_compared_with_a_whole_month(built_database: Database) -> None:
    """The data begin one day after the day that March 2025 would be compared with first."""
    first = date(2025, 3, 1) - timedelta(days=363)
    days = f"select * from retail.agg_ventas_dia_tienda where fecha >= '{first}'"
    end = "select date '2025-08-31' as fecha_corte"
    whole = ask_changed(built_database, "comparacion_anual_region", corte=end)
    rows = ask_changed(
        built_database, "comparacion_anual_region", agg_ventas_dia_tienda=days, corte=end
    )
    assert {row["mes"].month for row in rows} == {4, 5, 6, 7, 8}
    assert rows == [row for row in whole if row["mes"] >= date(2025, 4, 1)]


def test_openings_are_told_by_format(built_database: Database) -> None:
    """Two formats in one month of their life, one at half and one at twice what its peers sell."""
    stores = built_database.query(
        "select formato, min(tienda_id) from retail.dim_tienda group by formato order by 1 limit 2"
    )
    weeks = " union all ".join(
        f"select {store} as tienda_id, {week} as semana, 1 as mes_operacion, 'formato' as base,"
        f" 7 as dias_tienda, {sold}::numeric as total_ventas, 100.00 as venta_diaria_maduras"
        for (_, store), sold in zip(stores, (350, 1400), strict=True)
        for week in (1, 2)
    )
    rows = ask_changed(built_database, "aperturas_curva", mv_aperturas=weeks)
    assert [(row["formato"], row["proporcion_pct"], row["tiendas"]) for row in rows] == [
        (stores[0][0], 50, 1),
        (stores[1][0], 200, 1),
    ]


def test_a_history_has_whole_weeks_with_and_without_sales(built_database: Database) -> None:
    """A Thursday is the last day; nothing is sold in the second week before it."""
    [(store, product)] = built_database.query(
        """
        select (select tienda_id from retail.dim_tienda where activo
                order by superficie_m2 desc, tienda_id limit 1),
            (select min(producto_id) from retail.dim_producto where activo)
        """
    )
    sold = """
        select * from retail.fact_ventas where fecha_venta not between '2025-10-06' and '2025-10-12'
    """
    rows = ask_changed(
        built_database,
        "historia_producto_tienda",
        corte="select date '2025-10-23' as fecha_corte",
        fact_ventas=sold,
    )
    last = date(2025, 10, 13)
    assert [row["semana"] for row in rows] == [last - timedelta(weeks=n) for n in range(51, -1, -1)]
    assert (rows[-2]["unidades"], rows[-2]["total_ventas"], rows[-2]["precio_promedio"]) == (
        *(0, 0),
        None,
    )
    total = sum(row["total_ventas"] for row in rows)
    assert [(total,)] == built_database.query(
        """
        select sum(total_linea) from retail.fact_ventas
        where tienda_id = %s and producto_id = %s
            and fecha_venta between '2024-10-21' and '2025-10-19'
            and fecha_venta not between '2025-10-06' and '2025-10-12'
        """,
        store,
        product,
    )


def test_a_promotion_that_nobody_bought_lost_what_was_expected(built_database: Database) -> None:
    """Ten units and a week after of three too few: thirteen times the full margin of a unit."""
    [(product, day, category, margin)] = built_database.query(
        """
        select producto_id, valido_desde, categoria,
            precio_lista / (1 + iva_pct / 100) - costo_unitario
        from retail.historia_producto where numero_version = 1 order by producto_id limit 1
        """
    )
    promotion = f"""
        select {product} as producto_id, '{category}' as categoria, 20.00 as descuento_pct,
            date '{day}' as fecha_inicio, false as es_parcial, 0.000 as unidades,
            10.000 as unidades_esperadas, null::numeric as error_pct,
            1.000 as unidades_siguientes, 4.000 as unidades_esperadas_siguientes,
            0.00 as margen_cedido, null::numeric as margen_incremental
    """
    [row] = ask_changed(built_database, "promociones_rentables", mv_efecto_promocion=promotion)
    assert (row["promociones"], row["promociones_sin_venta"], row["efecto_pct"]) == (1, 1, -100)
    assert row["margen_incremental"] == round(-13 * margin, 2)


def test_holidays_are_told_by_format_to_the_cutoff_date(built_database: Database) -> None:
    """Of one category nothing was sold on promotion, and a format closes on a holiday."""
    effects = """
        select categoria, unidades_esperadas,
            case when categoria = 'Abarrotes' then 0 else unidades end as unidades
        from retail.mv_efecto_promocion
    """
    sold = """
        select * from retail.fact_ventas
        where fecha_venta <> '2024-12-25' or tienda_id not in (
            select tienda_id from retail.dim_tienda where formato = 'Hipermercado'
        )
    """
    rows = ask_changed(
        built_database,
        "efecto_festivos",
        mv_efecto_promocion=effects,
        fact_ventas=sold,
        corte="select date '2025-12-24' as fecha_corte",
    )
    formats = built_database.query("select distinct formato from retail.dim_tienda")
    assert {(row["formato"],) for row in rows} == set(formats)
    assert max(row["fecha"] for row in rows) == date(2025, 12, 24)
    [closed] = [
        row
        for row in rows
        if (row["fecha"], row["formato"]) == (date(2024, 12, 25), "Hipermercado")
    ]
    assert (closed["lineas"], closed["efecto_pct"]) == (0, -100)


def test_traffic_times_ticket_is_growth(built_database: Database) -> None:
    for _, _, _, growth, traffic, ticket in ask(built_database, "ventas_mismas_tiendas"):
        product = (1 + float(traffic) / 100) * (1 + float(ticket) / 100) - 1
        assert 100 * product == pytest.approx(float(growth), abs=0.03)


def test_both_sides_of_like_for_like_are_whole(
    built_database: Database, generated_data: Path
) -> None:
    """Sums of the same stores on both sides, zeros included, by the files."""
    stores = pl.read_parquet(generated_data / "tiendas.parquet")
    sold = (
        pl.scan_parquet(generated_data / "ventas" / "*.parquet")
        .group_by("tienda_id", "fecha_venta")
        .agg(pl.col("ticket_id").n_unique().alias("tickets"))
        .collect()
    )
    tickets = {(store, day): count for store, day, count in sold.rows()}
    first, last = sold["fecha_venta"].min(), sold["fecha_venta"].max()
    assert isinstance(first, date) and isinstance(last, date)
    sums: dict[tuple[date, str], list[int]] = {}
    for store in stores.iter_rows(named=True):
        opened, closed = store["fecha_apertura"], store["fecha_cierre"] or last
        month_after = (opened.replace(day=1) + timedelta(days=32)).replace(day=1)
        begun = store["fecha_inicio_remodelacion"] or date.max
        ended = store["fecha_remodelacion"] or date.max
        day = max(first, month_after) + timedelta(days=364)
        while day <= min(last, closed):
            before = day - timedelta(days=364)
            if not (begun <= day < ended or begun <= before < ended):
                both = sums.setdefault((day.replace(day=1), store["cadena"]), [0, 0])
                both[0] += tickets.get((store["tienda_id"], day), 0)
                both[1] += tickets.get((store["tienda_id"], before), 0)
            day += timedelta(days=1)
    rows = ask(built_database, "ventas_mismas_tiendas")
    assert rows
    for month, chain, _, _, traffic, _ in rows:
        now, then = sums[month, chain]
        assert float(traffic) == pytest.approx(100 * (now / then - 1), abs=0.006)


def test_class_a_makes_four_fifths_of_the_sales(built_database: Database) -> None:
    rows = ask(built_database, "clasificacion_abc")
    total = sum(row[2] for row in rows)
    sales_of_a = sum(row[2] for row in rows if row[4] == "A")
    smallest_of_a = min(row[2] for row in rows if row[4] == "A")
    assert sales_of_a - smallest_of_a < 0.8 * float(total) <= sales_of_a


def test_sales_by_hour_are_those_of_the_files(
    built_database: Database, generated_data: Path
) -> None:
    sales = pl.scan_parquet(generated_data / "ventas" / "*.parquet")
    last = last_complete_day(built_database)
    stores = pl.scan_parquet(generated_data / "tiendas.parquet").select("tienda_id", "formato")
    expected = (
        sales.filter(pl.col("canal") == "tienda")
        .filter(pl.col("fecha_venta").is_between(last - timedelta(days=90), last))
        .join(stores, on="tienda_id")
        .group_by(
            "formato",
            pl.col("fecha_venta").dt.weekday().alias("dia"),
            pl.col("hora").dt.hour().alias("hora"),
        )
        .agg(pl.col("ticket_id").n_unique().alias("tickets"))
        .collect()
    )
    rows = ask(built_database, "mapa_horario")
    assert {row[:3]: row[3] for row in rows} == {row[:3]: row[3] for row in expected.rows()}


def test_pairs_are_those_of_the_files(built_database: Database, generated_data: Path) -> None:
    sales = pl.scan_parquet(generated_data / "ventas" / "*.parquet")
    last = last_complete_day(built_database)
    stores = pl.scan_parquet(generated_data / "tiendas.parquet").select("tienda_id", "formato")
    baskets = (
        sales.filter(pl.col("fecha_venta").is_between(last - timedelta(days=90), last))
        .join(stores, on="tienda_id")
        .select("ticket_id", "producto_id", "formato")
        .unique()
        .with_columns(pl.len().over("ticket_id").clip(upper_bound=15).alias("size"))
        .collect()
    )
    cell = ["formato", "size"]
    tickets = baskets.group_by(cell).agg(pl.col("ticket_id").n_unique().alias("tickets"))
    single = baskets.group_by(*cell, "producto_id").len("holding").join(tickets, on=cell)
    expected = (
        single.join(single, on=cell)
        .filter(pl.col("producto_id") < pl.col("producto_id_right"), pl.col("size") > 1)
        .with_columns((pl.col("holding") * pl.col("holding_right") / pl.col("tickets")).alias("e"))
        .with_columns(
            (
                pl.col("e")
                * (1 - pl.col("holding") / pl.col("tickets"))
                * (1 - pl.col("holding_right") / pl.col("tickets"))
            ).alias("v")
        )
        .group_by("producto_id", "producto_id_right")
        .agg(pl.sum("e"), pl.sum("v"))
    )
    observed = (
        baskets.join(baskets, on="ticket_id")
        .filter(pl.col("producto_id") < pl.col("producto_id_right"))
        .group_by("producto_id", "producto_id_right")
        .len("seen")
    )
    keys = ["producto_id", "producto_id_right"]
    pairs = (
        expected.join(observed, on=keys)
        .filter(pl.col("seen") >= 5, pl.col("v") > 0)
        .with_columns(((pl.col("seen") - pl.col("e")) / pl.col("v").sqrt()).alias("z"))
        .sort("z", descending=True)
    )
    rows = ask(built_database, "pares_canasta")
    assert len(rows) == min(20, len(pairs))
    known = {(a, b): (seen, z) for a, b, _, _, seen, z in pairs.rows()}
    for row in rows:
        seen, z = known[row[7], row[8]]
        assert row[2] == seen
        assert float(row[6]) == pytest.approx(z, abs=0.06)
    best = pairs["z"].head(len(rows)).to_list()
    assert [float(row[6]) for row in rows] == pytest.approx(best, abs=0.06)
