"""Price zones, elasticities and cross effects, estimated from sales, promotions and the catalogue.

The inputs are frames with the columns of the published marts, so files and database serve alike.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from retail_platform.simulator.arrays import Bools, Floats, Ints

_REST_DAYS = 7
"""Days after a promotion that are left out: pantries are full."""
_DISPERSION = 2.0
"""Variance of units over their mean: lines have several units, and good days many lines."""
_ROUNDS = 25
_STEP = 1e-4


@dataclass(frozen=True)
class Published:
    """What the estimates are made from.

    Attributes:
        sold: By ``region``, ``formato``, ``producto_id`` and ``fecha_venta``: ``unidades`` and
            ``precio_unitario`` (list price).
        products: ``producto_id``, ``categoria``, ``subcategoria``, ``fecha_lanzamiento``,
            ``fecha_retiro``.
        promotions: ``producto_id``, ``formato``, ``fecha_inicio``, ``fecha_fin``,
            ``descuento_pct``.
    """

    sold: pl.DataFrame
    products: pl.DataFrame
    promotions: pl.DataFrame


@dataclass(frozen=True)
class PriceEffects:
    """What was found.

    Attributes:
        zones: Regions that share their list prices.
        elasticity: Own-price elasticity, absolute, by product.
        error: Its standard error.
        units: Units sold by product, for weighted means.
        cross: Power of the mean price of the others, by subcategory of two products or more.
    """

    zones: list[frozenset[str]]
    elasticity: dict[int, float]
    error: dict[int, float]
    units: dict[int, float]
    cross: dict[str, float]


def find_price_zones(sold: pl.DataFrame) -> list[frozenset[str]]:
    """Group regions whose list prices are the same on almost all days and products in common."""
    key = ["formato", "producto_id", "fecha_venta"]
    zones: list[set[str]] = []
    for region in sorted(sold["region"].unique()):
        mine = sold.filter(pl.col("region") == region).select(*key, mine="precio_unitario")
        for zone in zones:
            other = sold.filter(pl.col("region") == min(zone))
            both = mine.join(other, on=key)
            share = (both["mine"] == both["precio_unitario"]).mean()
            if isinstance(share, float) and share > 0.95:
                zone.add(region)
                break
        else:
            zones.append({region})
    return [frozenset(zone) for zone in zones]


def find_price_effects(published: Published) -> PriceEffects:
    """Estimate own and cross effects of prices by Poisson regression.

    Units of a product in a zone's format on a day are taken as Poisson with mean ``share x level x
    price ** -elasticity x others ** cross``: the share is the product's in the format of the zone,
    the level that of its category there on that day. Prices are what was paid over the smooth trend
    of the category's list prices.
    """
    zones = find_price_zones(published.sold)
    panel = _lay_out(published, zones)
    elasticity, error, cross = _fit(panel)
    ids = panel.product_id.tolist()
    subcategories = published.products.sort("producto_id")["subcategoria"].to_list()
    several = {name for name in subcategories if subcategories.count(name) > 1}
    return PriceEffects(
        zones=zones,
        elasticity=dict(zip(ids, elasticity.tolist(), strict=True)),
        error=dict(zip(ids, error.tolist(), strict=True)),
        units=dict(zip(ids, panel.units.sum(axis=(0, 2)).tolist(), strict=True)),
        cross={
            name: float(cross[panel.subcategory[subcategories.index(name)]])
            for name in dict.fromkeys(subcategories)
            if name in several
        },
    )


@dataclass(frozen=True)
class _Layout:
    """Arrays of shape (cells, products, days); a cell is a format of a price zone."""

    product_id: Ints
    category: Ints
    subcategory: Ints
    units: Floats
    price: Floats
    counts: Bools


def _lay_out(published: Published, zones: list[frozenset[str]]) -> _Layout:
    products = published.products.sort("producto_id")
    ids = products["producto_id"].to_numpy()
    zone_of = {region: number for number, zone in enumerate(zones) for region in zone}
    formats = sorted(published.sold["formato"].unique())
    sold = (
        published.sold.with_columns(
            cell=pl.col("region").replace_strict(zone_of, return_dtype=pl.Int64) * len(formats)
            + pl.col("formato").replace_strict(formats, range(len(formats)), return_dtype=pl.Int64)
        )
        .group_by("cell", "producto_id", "fecha_venta")
        .agg(pl.sum("unidades").cast(pl.Float64), pl.mean("precio_unitario").cast(pl.Float64))
    )
    first, last = sold["fecha_venta"].min(), sold["fecha_venta"].max()
    assert isinstance(first, date) and isinstance(last, date)
    days = (last - first).days + 1
    shape = (len(zones) * len(formats), len(ids), days)
    units, listed = np.zeros(shape), np.full(shape, np.nan)
    where = (
        sold["cell"].to_numpy(),
        np.searchsorted(ids, sold["producto_id"].to_numpy()),
        (sold["fecha_venta"] - first).dt.total_days().to_numpy(),
    )
    units[where], listed[where] = sold["unidades"], np.log(sold["precio_unitario"])
    cut, counts = _promotions(published, ids, formats, shape, first)
    counts &= np.isfinite(listed).any(axis=2, keepdims=True)
    category = products["categoria"].rank("dense").to_numpy().astype(int) - 1
    names = products["categoria"] + products["subcategoria"]
    subcategory = names.rank("dense").to_numpy().astype(int) - 1
    listed = _filled(listed)
    return _Layout(ids, category, subcategory, units, _real(listed, category) + cut, counts)


def _promotions(
    published: Published, ids: Ints, formats: list[str], shape: tuple[int, ...], first: date
) -> tuple[Floats, Bools]:
    """Log price cuts, and the days that count: on sale and not in the week after a promotion."""
    cut, counts = np.zeros(shape), np.ones(shape, bool)
    running = np.zeros(shape, bool)
    for row in published.promotions.iter_rows(named=True):
        column = int(np.searchsorted(ids, row["producto_id"]))
        cells = slice(formats.index(row["formato"]), None, len(formats))
        begin = max((row["fecha_inicio"] - first).days, 0)
        end = max((row["fecha_fin"] - first).days + 1, 0)
        cut[cells, column, begin:end] = np.log1p(-float(row["descuento_pct"]) / 100)
        running[cells, column, begin:end] = True
        counts[cells, column, end : end + _REST_DAYS] = False
    counts |= running
    for column, row in enumerate(published.products.sort("producto_id").iter_rows(named=True)):
        if row["fecha_lanzamiento"] is not None:
            counts[:, column, : max((row["fecha_lanzamiento"] - first).days, 0)] = False
        if row["fecha_retiro"] is not None:
            counts[:, column, max((row["fecha_retiro"] - first).days + 1, 0) :] = False
    return cut, counts


def _filled(listed: Floats) -> Floats:
    """Days without a sale have the price of the last sale, or of the first one before it."""
    days = np.arange(listed.shape[2])
    known = np.isfinite(listed)
    last = np.maximum.accumulate(np.where(known, days, -1), axis=2)
    following = np.argmax(known, axis=2)[..., None]
    filled = np.take_along_axis(listed, np.where(last < 0, following, last), axis=2)
    return np.where(np.isfinite(filled), filled, 0.0)


def _real(listed: Floats, category: Ints) -> Floats:
    """Log list prices over the cubic trend of their category, less each series' mean."""
    days = np.linspace(-1, 1, listed.shape[2])
    real = np.empty_like(listed)
    for number in np.unique(category):
        member = category == number
        series = listed[:, member]
        mean = (series - series.mean(axis=2, keepdims=True)).mean(axis=(0, 1))
        trend = np.polynomial.Polynomial.fit(days, mean, 3)(days)
        real[:, member] = series - trend
    return real - real.mean(axis=2, keepdims=True)


def _fit(panel: _Layout) -> tuple[Floats, Floats, Floats]:
    """Elasticity of each product with its error, and cross effects, by block Newton steps."""
    units = np.where(panel.counts, panel.units, 0.0)
    price = np.where(panel.counts, panel.price, 0.0)
    others = _others(panel, price)
    elasticity, cross = np.ones(len(panel.product_id)), np.zeros(panel.subcategory.max() + 1)
    share = units.sum(axis=2)
    categories = [panel.category == number for number in range(panel.category.max() + 1)]
    level = np.ones((units.shape[0], len(categories), units.shape[2]))
    for _ in range(_ROUNDS):
        effect = np.exp(others * cross[panel.subcategory][:, None] - price * elasticity[:, None])
        effect *= panel.counts
        for _ in range(2):
            for number, member in enumerate(categories):
                expected = (share[:, member, None] * effect[:, member]).sum(axis=1)
                level[:, number] = _ratio(units[:, member].sum(axis=1), expected)
            share = _ratio(units.sum(axis=2), (level[:, panel.category] * effect).sum(axis=2))
        mean = share[..., None] * level[:, panel.category] * effect
        left = units - mean
        own = _centred(price, mean)
        known = np.maximum((mean * own**2).sum(axis=(0, 2)), _STEP)
        elasticity = elasticity - np.clip((left * own).sum(axis=(0, 2)) / known, -1, 1)
        beside = _centred(others, mean)
        score = np.bincount(panel.subcategory, (left * beside).sum(axis=(0, 2)))
        weight = np.bincount(panel.subcategory, (mean * beside**2).sum(axis=(0, 2)))
        cross = cross + np.clip(score / np.maximum(weight, _STEP), -0.5, 0.5)
    return elasticity, np.sqrt(_DISPERSION / known), cross


def _centred(values: Floats, weight: Floats) -> Floats:
    """Values less their weighted mean over the days of each series."""
    mean = _ratio((values * weight).sum(axis=2), weight.sum(axis=2))
    return values - mean[..., None]


def _others(panel: _Layout, price: Floats) -> Floats:
    """Mean log price of the others of a product's subcategory, weighted by their units."""
    weight = panel.units.sum(axis=2)
    others = np.zeros_like(price)
    for number in np.unique(panel.subcategory):
        member = np.flatnonzero(panel.subcategory == number)
        for product in member:
            rest = member[member != product]
            if len(rest):
                total = weight[:, rest].sum(axis=1, keepdims=True)
                part = _ratio(weight[:, rest], np.broadcast_to(total, weight[:, rest].shape))
                others[:, product] = (part[..., None] * price[:, rest]).sum(axis=1)
    return others


def _ratio(part: Floats, whole: Floats) -> Floats:
    """``part / whole``, 0 where nothing is expected."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
