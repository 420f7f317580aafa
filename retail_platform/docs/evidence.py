"""What the delivered files say: planted parameters found again.

Only the files are read, never the world that made them, so a figure is evidence and not an echo.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from retail_platform.docs.price_effects import Published
from retail_platform.manifests import MANIFEST
from retail_platform.simulator.arrays import Bools, Floats
from retail_platform.simulator.parameters import CATEGORIES, FORMATS

_REST_DAYS = 7
_ROUNDS = 4


@dataclass(frozen=True)
class Panel:
    """Units sold by format, product and day, with the promotions of the delivered calendar.

    Attributes:
        days: Ordinals.
        product_id: Ids of the products.
        category: Index in ``CATEGORIES`` of each product.
        units: Shape (formats, products, days).
        discount: Price cut in force as a share, same shape.
        is_ordinary: Neither in promotion, nor in the week after one, nor out of sale; same shape.
    """

    days: np.ndarray
    product_id: np.ndarray
    category: np.ndarray
    units: Floats
    discount: Floats
    is_ordinary: Bools


def scan_sales(folder: Path) -> pl.LazyFrame:
    """All sale lines with the attributes of their store and product, and ``total_linea``."""
    stores = pl.scan_parquet(folder / "tiendas.parquet").select("tienda_id", "formato", "region")
    products = pl.scan_parquet(folder / "productos.parquet").select("producto_id", "categoria")
    money = (
        pl.col("unidades").cast(pl.Float64)
        * pl.col("precio_unitario").cast(pl.Float64)
        * (1 - pl.col("descuento_pct").cast(pl.Float64) / 100)
    )
    return (
        pl.scan_parquet(folder / "ventas" / "*.parquet")
        .with_columns(money.alias("total_linea"))
        .join(stores, on="tienda_id", how="left")
        .join(products, on="producto_id", how="left")
    )


def read_published(folder: Path) -> Published:
    """What prices are estimated from, out of the files."""
    sold = (
        scan_sales(folder)
        .group_by("region", "formato", "producto_id", "fecha_venta")
        .agg(pl.sum("unidades"), pl.first("precio_unitario"))
    )
    tables = (pl.read_parquet(folder / f"{name}.parquet") for name in ("productos", "promociones"))
    return Published(collect(sold), *tables)


def read_planted(folder: Path) -> dict[str, Any]:
    """What the manifest says was planted, to be compared with what is found."""
    document: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return dict(document["planted"])


def scan_stock(folder: Path) -> pl.LazyFrame:
    """All stock rows."""
    return pl.scan_parquet(folder / "inventario" / "*.parquet")


def read_panel(folder: Path) -> Panel:
    """Sum the sales to format, product and day, and lay the promotions over them."""
    products = pl.read_parquet(folder / "productos.parquet").sort("producto_id")
    sold = collect(
        scan_sales(folder)
        .group_by("formato", "producto_id", "fecha_venta")
        .agg(pl.sum("unidades").cast(pl.Float64))
    )
    first, last = sold["fecha_venta"].min(), sold["fecha_venta"].max()
    assert isinstance(first, date) and isinstance(last, date)
    days = np.arange(first.toordinal(), last.toordinal() + 1)
    ids = products["producto_id"].to_numpy()
    shape = (len(FORMATS), len(ids), len(days))
    units, discount = np.zeros(shape), np.zeros(shape)
    row = sold["formato"].replace_strict(FORMATS, range(len(FORMATS)), return_dtype=pl.Int64)
    column = np.searchsorted(ids, sold["producto_id"].to_numpy())
    units[row.to_numpy(), column, (sold["fecha_venta"] - first).dt.total_days()] = sold["unidades"]

    is_ordinary = np.ones(shape, bool)
    for promotion in pl.read_parquet(folder / "promociones.parquet").iter_rows(named=True):
        where = (
            FORMATS.index(promotion["formato"]),
            int(np.searchsorted(ids, promotion["producto_id"])),
        )
        begin = (promotion["fecha_inicio"] - first).days
        end = (promotion["fecha_fin"] - first).days + 1
        discount[(*where, slice(max(begin, 0), max(end, 0)))] = promotion["descuento_pct"] / 100
        is_ordinary[(*where, slice(max(begin, 0), max(end + _REST_DAYS, 0)))] = False
    for column_index, product in enumerate(products.iter_rows(named=True)):
        on_sale = days >= product["fecha_lanzamiento"].toordinal()
        if product["fecha_retiro"] is not None:
            on_sale &= days <= product["fecha_retiro"].toordinal()
        is_ordinary[:, column_index] &= on_sale
    category = products["categoria"].replace_strict(
        CATEGORIES, range(len(CATEGORIES)), return_dtype=pl.Int64
    )
    return Panel(days, ids, category.to_numpy(), units, discount, is_ordinary)


def expected_units(panel: Panel) -> Floats:
    """Units to be expected of each product without promotions, shape as the panel.

    A day's level of a format's category is read from its products on ordinary days, a product's
    share of it from its own ordinary days; the two are found in turn. Days on which no product of
    the category was ordinary are unknown (NaN); days on which none was sold count as zero, since
    leaving them out would raise the level of the others.
    """
    expected = np.zeros_like(panel.units)
    for category in range(len(CATEGORIES)):
        member = panel.category == category
        units = np.where(panel.is_ordinary, panel.units, 0)[:, member]
        ordinary = panel.is_ordinary[:, member]
        share = np.ones(units.shape[:2])
        for _ in range(_ROUNDS):
            carried = (ordinary * share[..., None]).sum(axis=1)
            level = _ratio(units.sum(axis=1), carried)
            share = _ratio(units.sum(axis=2), (ordinary * level[:, None]).sum(axis=2))
        level[carried == 0] = np.nan
        expected[:, member] = share[..., None] * level[:, None]
    return expected


def promotion_profile(panel: Panel, before: int = 14, after: int = 21) -> tuple[Floats, Floats]:
    """Units over what is expected around the first day of promotions that last at least a week.

    Returns:
        Days relative to the first day, and the ratio on each.
    """
    expected = expected_units(panel)
    offsets = np.arange(-before, after + 1)
    sold, base = np.zeros(len(offsets)), np.zeros(len(offsets))
    starts = (panel.discount[..., 1:] > 0) & (panel.discount[..., :-1] == 0)
    for format_, product, day in np.argwhere(starts):
        where = day + 1 + offsets
        inside = (where >= 0) & (where < len(panel.days))
        inside[inside] = np.isfinite(expected[format_, product, where[inside]])
        sold[inside] += panel.units[format_, product, where[inside]]
        base[inside] += expected[format_, product, where[inside]]
    return offsets.astype(float), _ratio(sold, base)


def month_index(daily: pl.DataFrame) -> list[float]:
    """Mean of each month, January first, over the mean of all months, without growth.

    Growth per year is the mean log ratio of the same month in consecutive years, so that neither a
    December at the end nor a year cut off looks like growth. Months cut off are left out.

    Args:
        daily: ``fecha_venta`` and ``value``, one row per day.
    """
    months = (
        daily.group_by(pl.col("fecha_venta").dt.truncate("1mo").alias("of"))
        .agg(pl.mean("value"), pl.len().alias("days"))
        .filter(pl.col("days") == pl.col("of").dt.month_end().dt.day())
        .sort("of")
    )
    year_before = months.with_columns(pl.col("of").dt.offset_by("1y"))
    both = months.join(year_before, on="of", suffix="_before")
    ratio = both["value"].to_numpy() / both["value_before"].to_numpy()
    growth = float(np.log(ratio).mean()) if len(ratio) else 0.0
    years = months["of"].dt.epoch("d").to_numpy() / 365.25
    level = months["value"].to_numpy() * np.exp(-growth * (years - years[0]))
    month = months["of"].dt.month().to_numpy()
    mean = np.array([level[month == number].mean() for number in range(1, 13)])
    index: list[float] = (mean / mean.mean()).tolist()
    return index


def collect(frame: pl.LazyFrame) -> pl.DataFrame:
    """Collect in chunks, so that memory does not grow with the files."""
    return frame.collect(engine="streaming")


def _ratio(part: Floats, whole: Floats) -> Floats:
    """``part / whole``, 0 where nothing is expected."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
