"""Promotions, baskets, new stores and suppliers: what was planted is found in the published marts.

That each cell is what the files say is tested by test_models_independent.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import parity
import polars as pl
import pytest
from conftest import Database

from retail_platform.postgres.server import LocalServer


def planted_in(folder: Path) -> dict[str, Any]:
    """The truth that the manifest of a world tells."""
    document = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return dict(document["planted"])


def lifts(database: Database, planted: dict[str, Any]) -> dict[str, tuple[float, float, float]]:
    """Found lift, planted lift and standard error of the found one, by category and of all ('').

    The lift of a cut c is (1 - c) ** -elasticity, averaged as the units expected.
    """
    rows = database.query("""
        select categoria, producto_id, descuento_pct::float8, unidades::float8,
            unidades_esperadas::float8, error_pct::float8 / 100
        from retail.mv_efecto_promocion where unidades_esperadas > 0 and error_pct is not null
    """)
    found = {}
    for name in {"", *(row[0] for row in rows)}:
        chosen = [row for row in rows if name in ("", row[0])]
        sold, expected, error = np.array([row[3:] for row in chosen]).T
        truth = [
            (1 - cut / 100) ** -planted["elasticity_by_product"][str(p)] for _, p, cut, *_ in chosen
        ]
        found[name] = (
            sold.sum() / expected.sum(),
            float(np.average(truth, weights=expected)),
            float(np.sqrt(((expected * error) ** 2).sum()) / expected.sum()),
        )
    return found


def test_promotions_lift_as_planted(built_database: Database, generated_data: Path) -> None:
    found, truth, error = lifts(built_database, planted_in(generated_data))[""]
    assert truth > 1.3
    assert abs(found - truth) < 0.1 * truth + 3 * error


@pytest.mark.full
def test_each_categorys_lift_is_found(full_database: Database, full_data: Path) -> None:
    """Within 15 %, or three standard errors where few were sold; all together within a twentieth.

    What a shelf that runs empty at noon would have sold is not seen, which costs fresh goods most.
    """
    for name, (found, truth, error) in lifts(full_database, planted_in(full_data)).items():
        allowed = 0.15 if name else 0.05
        assert abs(found - truth) < max(allowed * truth, 3 * error), (name, found, truth, error)


@pytest.mark.full
def test_the_week_after_sells_less(full_database: Database, full_data: Path) -> None:
    """By a share of the lift, up to a limit."""
    dip = planted_in(full_data)["promotion_dip"]
    [(change, lift)] = full_database.query("""
        select sum(unidades_siguientes)::float8 / sum(unidades_esperadas_siguientes)::float8 - 1,
            sum(unidades)::float8 / sum(unidades_esperadas)::float8 - 1
        from retail.mv_efecto_promocion where unidades_esperadas_siguientes > 0
    """)
    assert change == pytest.approx(-min(dip["share_of_lift"] * lift, dip["max"]), abs=0.04)


@pytest.mark.full
def test_planted_pairs_come_first(full_database: Database, full_data: Path) -> None:
    """Eleven of the twelve among the first fifteen of all formats."""
    truth = {
        tuple(sorted((pair["producto_id"], pair["con_producto_id"])))
        for pair in planted_in(full_data)["affinities"]
    }
    found = full_database.query("""
        select producto_a, producto_b from retail.mv_pares_canasta
        where formato = 'Total' and ranking <= 15
    """)
    assert len(truth & set(found)) >= 11


def test_planted_pairs_stand_out(built_database: Database, generated_data: Path) -> None:
    """At a hundredth of the size the mean of their z is still beyond chance."""
    truth = {
        tuple(sorted((pair["producto_id"], pair["con_producto_id"])))
        for pair in planted_in(generated_data)["affinities"]
    }
    found = {
        (a, b): z
        for a, b, z in built_database.query("""
            select producto_a, producto_b, z::float8 from retail.mv_pares_canasta
            where formato = 'Total'
        """)
    }
    planted = [found[pair] for pair in truth & set(found)]
    others = [z for pair, z in found.items() if pair not in truth]
    assert len(planted) >= 3
    assert np.mean(planted) > np.mean(others) + 3 / len(planted) ** 0.5


@pytest.mark.full
def test_new_stores_catch_up_as_planted(full_database: Database, full_data: Path) -> None:
    """Their first month over their last quarter of a year, which cancels how large a store is."""
    opening = planted_in(full_data)["opening"]

    def share(since: int, until: int) -> float:
        days = np.arange(7 * (since - 1), 7 * until)
        return float(np.mean(1 - opening["dip"] * np.exp(-days / opening["days"])))

    rows = full_database.query("""
        select sum(total_ventas) filter (where semana <= 4)::float8
                / sum(venta_diaria_maduras * dias_tienda) filter (where semana <= 4)::float8,
            sum(total_ventas) filter (where semana > 39)::float8
                / sum(venta_diaria_maduras * dias_tienda) filter (where semana > 39)::float8
        from retail.mv_aperturas group by tienda_id having count(*) = 52 and min(base) is not null
    """)
    assert len(rows) >= 5
    found = np.mean([first / last for first, last in rows])
    assert found == pytest.approx(share(1, 4) / share(40, 52), abs=0.1)


def test_suppliers_are_the_planted_ones(built_database: Database, generated_data: Path) -> None:
    planted = planted_in(generated_data)["suppliers"]
    found = built_database.query("""
        select proveedor, sum(suma_plazo_prometido)::float8 / sum(lineas_entregadas)::float8,
            1 - sum(lineas_a_tiempo)::float8 / sum(lineas_entregadas)::float8,
            sum(lineas_completas)::float8 / sum(lineas_entregadas)::float8,
            sum(lineas_entregadas)::int
        from retail.proveedores group by 1
    """)
    assert {name for name, *_ in found} == set(planted)
    for name, lead, late, complete, lines in found:
        told, spread = planted[name], 4 * (0.25 / lines) ** 0.5
        # A store's first stock of a product is promised for its day, which may be another.
        assert lead == pytest.approx(told["lead_days"], abs=0.5)
        assert late == pytest.approx(told["late_share"], abs=spread)
        assert complete == pytest.approx(told["complete_share"], abs=spread)


def test_new_stores_are_those_of_the_files(
    built_database: Database,
    generated_data: Path,
    embedded_server: LocalServer,
    new_database: Callable[..., Database],
    tmp_path: Path,
) -> None:
    """No store of the small world is new, so two are told to be, here and in the files."""
    opened = {1: date(2024, 10, 15), 4: date(2025, 6, 3)}
    for path in generated_data.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "tiendas.parquet").unlink()
    stores = pl.read_parquet(generated_data / "tiendas.parquet")
    stores.with_columns(
        pl.col("tienda_id")
        .replace_strict(opened, default=None, return_dtype=pl.Date)
        .fill_null(pl.col("fecha_apertura"))
        .alias("fecha_apertura")
    ).write_parquet(tmp_path / "tiendas.parquet")
    database = new_database(embedded_server, built_database)
    with closing(database.connect()) as session, session, session.cursor() as cursor:
        for store, day in opened.items():
            cursor.execute(
                "update retail.dim_tienda set fecha_apertura = %s where tienda_id = %s",
                (day, store),
            )
        cursor.execute("refresh materialized view retail.mv_aperturas")
    files = parity.open_files(tmp_path)
    rows, found = parity.differences(
        database, files, "mv_aperturas", parity.EXPECTED["mv_aperturas"]
    )
    assert rows == 52 + 30
    assert not found
