"""The ad hoc queries find what the simulator planted, at full scale."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from conftest import PROJECT, Database

from retail_platform.reporting.statements import fetch, render

pytestmark = pytest.mark.full
DAYS_OF_PAYDAY = {"último": "-1"}
KIND_OF_DAY = {(12, 24): "early", (12, 31): "early", (12, 25): "holiday", (1, 1): "holiday"}
"""Days on which stores have hours of their own, as docs/simulator.md says."""


@pytest.fixture(scope="module")
def planted(full_data: Path) -> dict[str, Any]:
    """What the manifest says was planted."""
    document = json.loads((full_data / "manifest.json").read_text(encoding="utf-8"))
    return dict(document["planted"])


def ask(database: Database, name: str) -> list[tuple]:
    with closing(database.connect()) as session:
        return fetch(session, render(PROJECT / "analyses" / "ad_hoc" / f"{name}.sql"))


def weighted_mean(values: list[tuple[float, float]]) -> float:
    """Mean of values given with their weights."""
    numbers, weights = np.transpose(values)
    return float(np.average(numbers, weights=weights))


@pytest.mark.parametrize("name", ["elasticidad_precio", "elasticidad_precio_lista"])
def test_elasticities_are_found(
    full_database: Database, planted: dict[str, Any], name: str
) -> None:
    """By product, the formats weighted by their precision."""
    weighted: dict[int, list[tuple[float, float]]] = {}
    for _, _, product, _, _, elasticity, error in ask(full_database, name):
        weighted.setdefault(product, []).append((float(elasticity), float(error) ** -2))
    found = {p: -weighted_mean(values) for p, values in weighted.items()}
    truth = planted["elasticity_by_product"]
    pairs = np.array([(found[p], truth[str(p)]) for p in found])
    assert len(pairs) > 0.8 * len(truth)
    assert np.corrcoef(pairs.T)[0, 1] >= 0.9


def test_lifts_are_found(full_database: Database, full_data: Path, planted: dict[str, Any]) -> None:
    """The lift of a cut c is (1 - c) ** -elasticity, averaged as the units expected."""
    last = pl.scan_parquet(full_data / "ventas" / "*.parquet").select(pl.max("fecha_venta"))
    since = pl.lit(last.collect().item()) - pl.duration(days=2 * 364)
    promoted = (
        pl.scan_parquet(full_data / "ventas" / "*.parquet")
        .filter(pl.col("descuento_pct") > 0, pl.col("fecha_venta") > since)
        .group_by("producto_id", "descuento_pct")
        .agg(pl.col("unidades").cast(pl.Float64).sum())
        .join(
            pl.scan_parquet(full_data / "productos.parquet").select("producto_id", "categoria"),
            on="producto_id",
        )
        .collect()
    )
    units: dict[str, float] = {}
    base: dict[str, float] = {}
    for product, cut, sold, category in promoted.iter_rows():
        lift = (1 - float(cut) / 100) ** -planted["elasticity_by_product"][str(product)]
        units[category] = units.get(category, 0) + sold
        base[category] = base.get(category, 0) + sold / lift
    for category, _, _, _, effect, *_ in ask(full_database, "efecto_promocion"):
        assert float(effect) / 100 + 1 == pytest.approx(units[category] / base[category], rel=0.1)


def test_holidays_are_found(
    full_database: Database, full_data: Path, planted: dict[str, Any]
) -> None:
    """Over the formats within four points but for one in six, these within three standard errors.

    Factors of categories are weighed by their share in the format. On Christmas and its like
    customers also find stores closed: what is sold of an ordinary day within the hours of that day
    is all that the event can work on. Of the effects in a format, most of which are known to three
    points or less well, all but one in twenty are within three standard errors.
    """
    lines = (
        pl.scan_parquet(full_data / "ventas" / "*.parquet")
        .join(
            pl.scan_parquet(full_data / "productos.parquet").select("producto_id", "categoria"),
            on="producto_id",
        )
        .join(
            pl.scan_parquet(full_data / "tiendas.parquet").select("tienda_id", "formato"),
            on="tienda_id",
        )
        .group_by("formato", "categoria")
        .len()
        .with_columns(pl.col("len") / pl.sum("len").over("formato"))
        .collect()
    )
    share = {(store_format, name): part for store_format, name, part in lines.rows()}
    holidays = [
        (date.fromisoformat(row["fecha"]), row["nombre_festivo"])
        for row in pl.read_csv(PROJECT / "seeds" / "festivos.csv").iter_rows(named=True)
    ]
    hours = open_share(full_database, planted["opening_hours_by_format"])
    # Of each holiday in a format: ordinary lines, how far off the effect is, and its error.
    seen: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for day, name, store_format, _, _, ordinary, *_, effect, error in ask(
        full_database, "efecto_festivos"
    ):
        factor = sum(
            part * planted_factor(planted["events"], holidays, day, category)
            for (of, category), part in share.items()
            if of == store_format
        ) * hours.get((store_format, KIND_OF_DAY.get((day.month, day.day), "")), 1)
        # The noise of a day is a share of what is sold on it.
        seen.setdefault((name, store_format), []).append(
            (float(ordinary), float(effect) - 100 * (factor - 1), float(error) * factor)
        )
    names = {name for name, _ in seen}
    assert len(names) >= 15 and len(seen) >= 4 * 15
    # Five days of each: what they tell is known to about two points (1 % of a chain's tickets, and
    # a region's weather lasts for days), so one or two of 22 lie outside of four by chance.
    missed = {}
    for name in names:
        off, error = mean_with_error(
            [row for (of, _), rows in seen.items() if of == name for row in rows]
        )
        if abs(off) > 4:
            missed[name] = off
            assert abs(off) <= 3 * error, (name, off, error)
    assert len(missed) <= len(names) / 6, missed
    far = {}
    for key, rows in seen.items():
        off, error = mean_with_error(rows)
        if abs(off) > 3 * error + 1:
            far[key] = (off, error)
    assert len(far) <= len(seen) / 20, far


def mean_with_error(rows: list[tuple[float, float, float]]) -> tuple[float, float]:
    """Weighted mean of values, and its standard error: weight, value and error of each."""
    weights, values, errors = np.transpose(rows)
    weights /= weights.sum()
    return float(weights @ values), float(np.sqrt(np.square(weights * errors).sum()))


def open_share(database: Database, opening: dict[str, Any]) -> dict[tuple[str, str], float]:
    """Share of an ordinary day's lines in the hours of a kind of day, by format and kind.

    The web does not close early, only with a store that is closed all day.
    """
    rows = database.query(
        """
        select formato, canal = 'tienda', extract(hour from hora)::int, count(*)
        from retail.fact_ventas v
        join retail.dim_tienda using (tienda_id)
        join retail.dim_calendario c on c.fecha = v.fecha_venta
        where es_dia_ordinario
        group by 1, 2, 3
        """
    )

    def is_served(hours: list[int], in_store: bool, hour: int) -> bool:
        first, last = hours
        return first <= hour < last if in_store else first < last

    lines: dict[str, int] = {}
    for name, _, _, count in rows:
        lines[name] = lines.get(name, 0) + count
    return {
        (of, kind): sum(
            count
            for name, in_store, hour, count in rows
            if name == of and is_served(opening[name][kind], in_store, hour)
        )
        / lines[of]
        for of in lines
        for kind in set(KIND_OF_DAY.values())
    }


def planted_factor(
    events: list[dict[str, Any]], holidays: list[tuple[date, str]], day: date, category: str
) -> float:
    """What all events together do to a category on a day."""
    factor = 1.0
    for event in events:
        length = event["days_before"] - event["days_until"] + 1
        for holiday, name in holidays:
            step = (day - holiday).days + event["days_before"]
            if name == event["holiday"] and 0 <= step < length:
                weight = (step + 1) / length if event["ramp"] else 1
                peak = dict(event["categories"]).get(category, event["factor"])
                factor *= 1 + (peak - 1) * weight
    return factor


def test_paydays_are_found(full_database: Database, planted: dict[str, Any]) -> None:
    """Within four points over the formats, weighted by precision."""
    by_day: dict[str, list[tuple[float, float]]] = {}
    for _, day, _, effect, error in ask(full_database, "efecto_quincena"):
        by_day.setdefault(DAYS_OF_PAYDAY.get(day, day), []).append(
            (float(effect), float(error) ** -2)
        )
    truth = planted["payday_extra_by_day_of_month"]
    assert set(by_day) == set(truth)
    for day, values in by_day.items():
        assert weighted_mean(values) == pytest.approx(100 * truth[day], abs=4), day


def test_affinities_come_first(full_database: Database, planted: dict[str, Any]) -> None:
    """Eleven of the planted pairs among the first fifteen."""
    truth = {
        frozenset((pair["producto_id"], pair["con_producto_id"])) for pair in planted["affinities"]
    }
    rows = ask(full_database, "pares_canasta")[:15]
    assert len(truth & {frozenset(row[7:9]) for row in rows}) >= 11


def test_seasons_are_found(full_database: Database, planted: dict[str, Any]) -> None:
    """Each month of each category within six points, within two on average.

    Prices of produce go with its season, and demand answers: its months are told less well.
    """
    truth = planted["season_index_by_category_and_month"]
    found: dict[str, list[float]] = {}
    for category, month, _, index, _ in ask(full_database, "estacionalidad_categoria"):
        found.setdefault(category, []).append(float(index) / 100)
        assert len(found[category]) == month
    assert found.keys() == truth.keys()
    for category, indexes in found.items():
        planted_indexes = np.array(truth[category]) / np.mean(truth[category])
        missed = np.abs(np.array(indexes) - planted_indexes)
        produce = category == "Frutas y Verduras"
        assert missed.max() <= 0.06 and missed.mean() <= (0.04 if produce else 0.02), category
        assert np.corrcoef(indexes, planted_indexes)[0, 1] >= (0.9 if produce else 0.98), category
