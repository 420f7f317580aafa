"""The ad hoc queries: each runs, has rows, and gives what an independent computation gives."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from conftest import PROJECT, Database

from retail_platform.reporting.statements import fetch, render

ANALYSES = sorted((PROJECT / "analyses" / "ad_hoc").glob("*.sql"))


def ask(database: Database, name: str) -> list[tuple]:
    with closing(database.connect()) as session:
        return fetch(session, render(PROJECT / "analyses" / "ad_hoc" / f"{name}.sql"))


def test_there_are_enough_of_them() -> None:
    assert len(ANALYSES) >= 15


@pytest.mark.parametrize("path", ANALYSES, ids=lambda path: path.stem)
def test_each_query_returns_rows(built_database: Database, path: Path) -> None:
    assert ask(built_database, path.stem)


def test_shares_of_the_channels_add_up_to_everything(built_database: Database) -> None:
    quarters: dict[object, float] = {}
    for quarter, _, _, _, share in ask(built_database, "mezcla_canal"):
        quarters[quarter] = quarters.get(quarter, 0) + float(share)
    assert all(total == pytest.approx(100, abs=0.02) for total in quarters.values())


def test_traffic_times_ticket_is_growth(built_database: Database) -> None:
    for _, _, _, growth, traffic, ticket in ask(built_database, "ventas_mismas_tiendas"):
        product = (1 + float(traffic) / 100) * (1 + float(ticket) / 100) - 1
        assert 100 * product == pytest.approx(float(growth), abs=0.03)


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
    last = pl.col("fecha_venta").max()
    expected = (
        sales.filter(pl.col("canal") == "tienda")
        .filter(pl.col("fecha_venta") > last - pl.duration(days=91))
        .group_by(
            pl.col("fecha_venta").dt.weekday().alias("dia"), pl.col("hora").dt.hour().alias("hora")
        )
        .agg(pl.col("ticket_id").n_unique().alias("tickets"))
        .collect()
    )
    found = {(day, hour): tickets for day, hour, tickets, _ in ask(built_database, "mapa_horario")}
    assert found == {(day, hour): tickets for day, hour, tickets in expected.rows()}


def test_pairs_are_those_of_the_files(built_database: Database, generated_data: Path) -> None:
    sales = pl.scan_parquet(generated_data / "ventas" / "*.parquet")
    last = pl.col("fecha_venta").max()
    baskets = (
        sales.filter(pl.col("fecha_venta") > last - pl.duration(days=30))
        .select("ticket_id", "producto_id")
        .unique()
    )
    pairs = (
        baskets.join(baskets, on="ticket_id")
        .filter(pl.col("producto_id") < pl.col("producto_id_right"))
        .group_by("producto_id", "producto_id_right")
        .len()
        .filter(pl.col("len") >= 5)
        .collect()
    )
    rows = ask(built_database, "pares_canasta")
    assert len(rows) == min(20, len(pairs))
    assert {row[2] for row in rows} <= set(pairs.get_column("len"))
    lifts = [row[5] for row in rows]
    assert lifts == sorted(lifts, reverse=True)
