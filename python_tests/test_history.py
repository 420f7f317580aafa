"""The history of attributes: ten deliveries, in another order than they are dated.

What is expected is told by a plain loop over the deliveries: on a day counts what the last delivery
up to it said of a key.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from conftest import PROJECT, Database, run_dbt

from retail_platform.loading import Settings, load_folder
from retail_platform.postgres.server import LocalServer
from retail_platform.reporting.statements import fetch, render
from retail_platform.simulator.config import config_for
from retail_platform.simulator.dimensions import products_frame, stores_frame
from retail_platform.simulator.world import build_world

LAST = date(2026, 5, 31)
DAYS = [LAST - timedelta(days=190 * step) for step in range(9, -1, -1)]
FIRST_DAY = date(2015, 1, 1)

Row = dict[str, object]


def deliveries() -> dict[str, list[tuple[date, dict[int, Row]]]]:
    """By catalogue, in the order of their dates: what each delivery says of each key."""
    config = config_for(scale=0.05, seed=7, end=LAST, years=5)
    world = build_world(config)
    stores, products = [], []
    for step, day in enumerate(DAYS):
        store = {int(row["tienda_id"]): row for row in stores_frame(world, day).to_dicts()}
        product = {int(row["producto_id"]): row for row in products_frame(world, day).to_dicts()}
        known = sorted(store)
        assert known[0] == 1
        # There and back again, twice; a delivery in between says it once more.
        store[known[0]]["gerencia"] = "AABBAABBBA"[step]
        # Left out for a while: what was said goes on.
        if 3 <= step <= 5:
            del store[known[1]]
        # A format that does not exist: the one before stays in force.
        store[known[2]]["nombre_tienda"] = f"Tienda {step}"
        if step in (4, 9):
            store[known[2]]["formato"] = "Hipermecado"
        stores.append((day, store))
        products.append((day, product))
    # Twice on one day: the later one counts.
    again = {key: row | {"gerencia": "Z"} for key, row in list(stores[6][1].items())[:3]}
    stores.insert(7, (DAYS[6], again))
    return {"tiendas": stores, "productos": products}


def in_force(
    delivered: list[tuple[date, dict[int, Row]]], key: int, day: date, formats: set[str]
) -> Row:
    """What was in force: the last good row up to the day, else the first one ever."""
    good = [
        (since, rows[key])
        for since, rows in delivered
        if key in rows and rows[key].get("formato", "Express") in formats
    ]
    before = [row for since, row in good if since <= day]
    return before[-1] if before else good[0][1]


@pytest.fixture(scope="module")
def said() -> dict[str, list[tuple[date, dict[int, Row]]]]:
    return deliveries()


@pytest.fixture
def database(
    embedded_server: LocalServer,
    new_database: Callable[..., Database],
    said: dict[str, list[tuple[date, dict[int, Row]]]],
    tmp_path: Path,
) -> Database:
    """The deliveries are loaded in a random order, and built after each half of them."""
    database = new_database(embedded_server)
    files = []
    for catalogue, delivered in said.items():
        for number, (day, rows) in enumerate(delivered):
            path = tmp_path / f"{catalogue}_{day:%Y%m%d}_{number:02}.parquet"
            pl.DataFrame(list(rows.values()), infer_schema_length=None).write_parquet(path)
            files.append(path)
    random.Random(5).shuffle(files)
    for part in (files[: len(files) // 2], files[len(files) // 2 :]):
        for path in part:  # one by one: a command would load them in the order of their names
            report = load_folder([path], dict(database.parameters), Settings(max_rejected=1))
            assert not report.failed, report.failed
        run_dbt(
            "build",
            *("--select", "+historia_producto", "+historia_tienda", "dim_producto", "dim_tienda"),
            *("--indirect-selection", "cautious"),
            database=database,
        )
    return database


def test_ten_deliveries_in_any_order_make_one_history(
    database: Database, said: dict[str, list[tuple[date, dict[int, Row]]]]
) -> None:
    formats = {name for (name,) in database.query("select formato from staging.formatos")}
    for history, catalogue, key in (
        ("historia_tienda", "tiendas", "tienda_id"),
        ("historia_producto", "productos", "producto_id"),
    ):
        delivered = said[catalogue]
        columns = list(next(iter(delivered[0][1].values())))
        keys = sorted({number for _, rows in delivered for number in rows})
        compared = changed = 0
        asked = {day + timedelta(days=step) for day in DAYS for step in (-1, 0, 1)}
        for day in [FIRST_DAY, *sorted(asked), LAST + timedelta(days=400)]:
            rows = database.query(
                f"select {', '.join(columns)} from retail.{history} where valido_desde <= %s "
                "and coalesce(%s < valido_hasta, true)",
                day,
                day,
            )
            found = {row[columns.index(key)]: dict(zip(columns, row, strict=True)) for row in rows}
            assert len(rows) == len(found), "one version of each key on each day"
            assert sorted(found) == keys
            for number in keys:
                expected = in_force(delivered, number, day, formats)
                assert found[number] == expected, (history, day, number)
                compared += 1
                changed += found[number] != in_force(delivered, number, LAST, formats)
        assert compared >= 32 * len(keys) and changed > 100
    # There and back: a version for each, though the raw table keeps two deliveries of each.
    areas = database.query(
        "select gerencia, entregado_el from retail.historia_tienda where tienda_id = 1 "
        "order by valido_desde"
    )
    assert areas == list(zip("ABAZBA", (DAYS[step] for step in (0, 2, 4, 6, 7, 9)), strict=True))

    # Deliveries that are deleted take nothing away that facts refer to; nothing else is written.
    written = (
        "select h.tableoid::text, h.ctid::text, h.xmin::text, to_jsonb(h)::text "
        "from (select tableoid, ctid, xmin, * from retail.historia_tienda) h order by 1, 2"
    )
    before = database.query(written)
    database.query("delete from staging.raw_tiendas where tienda_id = 1")
    output = run_dbt("snapshot", database=database).stdout
    assert "Completed successfully" in output
    assert database.query(written) == before


def test_the_question_of_who_was_responsible_is_answered(built_database: Database) -> None:
    path = PROJECT / "analyses" / "ad_hoc" / "ventas_gerencia_vigente.sql"
    with closing(built_database.connect()) as session:
        rows = fetch(session, render(path))
    total = sum(row[2] for row in rows)
    assert [(total,)] == built_database.query(
        """
        select sum(ventas_netas) from retail.agg_ventas_dia_tienda
        where fecha < (select date_trunc('month', fecha_corte + 1) from retail.corte)
        """
    )
