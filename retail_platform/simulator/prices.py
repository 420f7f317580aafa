"""List prices, unit costs, and what prices do to demand.

A supplier changes its costs on dates of its own. Shelf prices follow some days later, zone by zone;
fresh produce has a new price every Monday, low in its season. Demand answers to the price in real
terms, that is over the price index of its kind: inflation alone moves nobody.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from retail_platform.simulator.arrays import Bools, Floats, Ints
from retail_platform.simulator.parameters import (
    CATEGORIES,
    COST_CHANGE_SIGMA,
    COST_CHANGE_WINDOWS,
    COST_THIRD_CHANGE,
    CROSS_EFFECT,
    CROSS_EFFECTS,
    ELECTRONICS_PRICE_DRIFT,
    FORMAT,
    FORMATS,
    INFLATION,
    INFLATION_LATER,
    PRICE_BASE_YEAR,
    PRICE_CHANGE_SIGMA,
    PRICE_LAG_DAYS,
    PRICE_ZONES,
    PRODUCE_PRICE_WAVE,
    REGIONS,
    WEEKLY_PRICE_SIGMA,
)
from retail_platform.simulator.products import Products
from retail_platform.simulator.promotions import promotion_effects
from retail_platform.simulator.streams import Part, stream
from retail_platform.simulator.suppliers import SUPPLIER_COUNT

ZONES = tuple(PRICE_ZONES)
REGION_ZONE = np.array(
    [
        next(i for i, zone in enumerate(ZONES) if name in PRICE_ZONES[zone].regions)
        for name in REGIONS
    ]
)
"""Index of the price zone of each region."""
_CHANGES = len(COST_CHANGE_WINDOWS)
_WEEK = 7
_FIRST_MONDAY = date(2001, 1, 1).toordinal()


@dataclass(frozen=True)
class Prices:
    """Prices on consecutive days and what they do to demand.

    Attributes:
        listed: List prices in cents with VAT; shape (days, zones, formats, products).
        discount: Price cut of the promotion in force, per cent; shape (days, formats, products).
        factor: Factor on the demand for a product: its own price, those of its subcategory, and
            full pantries after a promotion; shape (days, zones * formats, products).
    """

    listed: Ints
    discount: Ints
    factor: Floats


def prices_between(products: Products, seed: int, days: Ints) -> Prices:
    """Prices of consecutive ordinals and their effect."""
    listed = list_prices(products, seed, days)
    discount, dip = promotion_effects(products, seed, days)
    paid = np.log(listed / 100 / reference_prices(products, days))
    paid += np.log1p(-discount / 100)[:, None]
    others = (paid * _on_sale(products, days)[:, None]) @ cross_effects(products).T
    factor = np.exp(others - products.elasticity * paid) * dip[:, None]
    return Prices(listed, discount, factor.reshape(len(days), -1, len(products)))


def cross_effects(products: Products) -> Floats:
    """Effect of the log price of the column's product on log demand for the row's.

    A product answers to the mean price of the others of its subcategory, weighted by popularity:
    more is bought of substitutes when they are dearer, of companions when they are cheaper.
    """
    effect = np.array([CROSS_EFFECTS.get(name, CROSS_EFFECT) for name in products.subcategory])
    weight = np.where(
        (products.subcategory[:, None] == products.subcategory)
        & (products.category[:, None] == products.category),
        products.popularity,
        0.0,
    )
    np.fill_diagonal(weight, 0.0)
    total = weight.sum(axis=1, keepdims=True)
    share: Floats = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    return effect[:, None] * share


def _on_sale(products: Products, days: Ints) -> Bools:
    """Whether a format sells a product; shape (days, formats, products)."""
    level = np.array([FORMAT[name].level for name in FORMATS])
    alive = (days[:, None] >= products.launch) & (days[:, None] <= products.retire)
    on_sale: Bools = alive[:, None] & (products.level <= level[:, None])
    return on_sale


def reference_prices(products: Products, days: Ints) -> Floats:
    """What prices would be if they followed their index day by day, in pesos; shape as the list."""
    return _index(products, days[:, None])[:, None, None] * _base_prices(products)


def list_prices(products: Products, seed: int, days: Ints) -> Ints:
    """List prices in cents with VAT, by day, zone, format and product.

    Args:
        products: The catalogue.
        seed: Seed of the world.
        days: Consecutive ordinals.

    Returns:
        Shape (days, zones, formats, products).
    """
    parts = [_price_changes(products, seed, year) for year in _years(days)]
    change, level = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    relative = _take_last(change, level, days)  # (days, zones, products)
    fresh = _is_produce(products)
    relative[..., fresh] = _weekly_levels(products, seed, days)[1][..., fresh]
    return round_price(relative[:, :, None] * _base_prices(products))


def unit_costs(products: Products, seed: int, days: Ints) -> Ints:
    """Unit costs in cents without VAT, by day and product; the same in every zone."""
    parts = [_cost_changes(products, seed, year) for year in _years(days)]
    change, level = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    relative = _take_last(change, level, days)
    fresh = _is_produce(products)
    relative[:, fresh] = _weekly_levels(products, seed, days)[0][:, fresh]
    net = products.base_price * (1 - products.margin) / (1 + products.vat / 100)
    cents: Ints = np.rint(100 * net * relative).astype(np.int64)
    return cents


def round_price(pesos: Floats) -> Ints:
    """Round to the endings of a shelf label, in cents: half pesos, pesos, or a nine above 200."""
    label = np.where(
        pesos < 20,
        np.rint(pesos * 2) / 2,
        np.where(pesos < 200, np.rint(pesos), np.rint((pesos + 1) / 10) * 10 - 1),
    )
    cents: Ints = np.rint(label * 100).astype(np.int64)
    return cents


def _base_prices(products: Products) -> Floats:
    """Prices of the base year in pesos; shape (zones, formats, products)."""
    zone = np.array([PRICE_ZONES[name].factor for name in ZONES])
    factor = zone[:, None] * np.array([FORMAT[name].price_factor for name in FORMATS])
    prices: Floats = factor[..., None] * products.base_price
    return prices


def _years(days: Ints) -> range:
    """Years whose changes are in force on the days: prices of January are of the year before."""
    first, last = (date.fromordinal(int(day)).year for day in (days[0], days[-1]))
    return range(first - 1, last + 1)


def _take_last(change: Ints, level: Floats, days: Ints) -> Floats:
    """Level of the last change on or before each day.

    Args:
        change: Ordinals in time order; shape (changes, ...).
        level: Same shape.
        days: Ordinals.
    """
    shape = (len(days),) + (1,) * change.ndim
    index = (change[None] <= days.reshape(shape)).sum(axis=1) - 1
    taken: Floats = np.take_along_axis(level, index, axis=0)
    return taken


def cost_change_days(seed: int, year: int) -> Ints:
    """Days of a year on which suppliers change their costs; shape (changes, suppliers).

    The last two are one and the same for suppliers that change twice.
    """
    rng = stream(seed, Part.COSTS, year)
    january = date(year, 1, 1).toordinal()
    days = np.stack([january + rng.integers(*w, SUPPLIER_COUNT) for w in COST_CHANGE_WINDOWS])
    days[-1] = np.where(rng.random(SUPPLIER_COUNT) < COST_THIRD_CHANGE, days[-1], days[-2])
    return days


def _cost_changes(products: Products, seed: int, year: int) -> tuple[Ints, Floats]:
    """The cost changes of a year: ordinals and levels over the base year; (changes, products)."""
    day = cost_change_days(seed, year)[:, products.supplier]
    rng = stream(seed, Part.COSTS, year, 1)
    noise = np.exp(rng.normal(0.0, COST_CHANGE_SIGMA, day.shape))
    noise[-1] = np.where(day[-1] == day[-2], noise[-2], noise[-1])
    return day, _index(products, day) * noise


def _price_changes(products: Products, seed: int, year: int) -> tuple[Ints, Floats]:
    """The price changes of a year: ordinals and levels; shape (changes, zones, products)."""
    rng = stream(seed, Part.PRICES, year)
    shape = (_CHANGES, len(ZONES), len(products))
    cost_day = cost_change_days(seed, year)[:, None, products.supplier]
    day = cost_day + rng.integers(*PRICE_LAG_DAYS, shape[1:])
    noise = np.exp(rng.normal(0.0, PRICE_CHANGE_SIGMA, shape))
    noise[-1] = np.where(day[-1] == day[-2], noise[-2], noise[-1])
    return day, _index(products, day) * noise


def _weekly_levels(products: Products, seed: int, days: Ints) -> tuple[Floats, Floats]:
    """Costs and prices of fresh produce over the base year: (days, products), and by zone."""
    week = (days - _FIRST_MONDAY) // _WEEK
    costs, prices = [], []
    for number in np.unique(week):
        rng = stream(seed, Part.WEEKLY_PRICES, int(number))
        monday = np.array(_FIRST_MONDAY + number * _WEEK)
        angle = 2 * np.pi * (monday - products.dear_day) / 365.25
        wave = np.exp(PRODUCE_PRICE_WAVE * np.cos(angle)) * _index(products, monday)
        costs.append(wave * np.exp(rng.normal(0.0, COST_CHANGE_SIGMA, len(products))))
        noise = rng.normal(0.0, WEEKLY_PRICE_SIGMA, (len(ZONES), len(products)))
        prices.append(wave * np.exp(noise))
    row = week - week[0]
    return np.array(costs)[row], np.array(prices)[row]


def _is_produce(products: Products) -> Bools:
    return products.category == CATEGORIES.index("Frutas y Verduras")


def _index(products: Products, days: Ints) -> Floats:
    """Price index of each product's kind, 1 in the middle of the base year; broadcasts."""
    electronics = products.category == CATEGORIES.index("Electrónica")
    return np.where(electronics, _drift(days), _price_index(days))


def _price_index(days: Ints) -> Floats:
    """Consumer price index, 1 in the middle of the base year, growing evenly inside each year."""
    years = np.arange(min(INFLATION), date.max.year - 7900)
    growth = np.log1p([INFLATION.get(int(year), INFLATION_LATER) / 100 for year in years])
    knots = np.array([date(int(year), 1, 1).toordinal() for year in years])
    level = np.concatenate([[0.0], np.cumsum(growth)[:-1]])
    base = np.interp(date(PRICE_BASE_YEAR, 7, 1).toordinal(), knots, level)
    index: Floats = np.exp(np.interp(days, knots, level) - base)
    return index


def _drift(days: Ints) -> Floats:
    """Price index of electronics, 1 in the middle of the base year."""
    years = (days - date(PRICE_BASE_YEAR, 7, 1).toordinal()) / 365.25
    index: Floats = (1 + ELECTRONICS_PRICE_DRIFT / 100) ** years
    return index
