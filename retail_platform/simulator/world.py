"""Everything that is fixed before the first day: products, stores and who carries what."""

from dataclasses import dataclass

import numpy as np

from retail_platform.simulator.arrays import Bools, Floats, Ints
from retail_platform.simulator.calendar import Calendar, build_calendar, read_holidays
from retail_platform.simulator.config import WorldConfig
from retail_platform.simulator.parameters import (
    CATEGORIES,
    FORMAT,
    FORMATS,
    LOCAL_TASTE_SIGMA,
    REGION_TASTE_SIGMA,
    REGIONS,
)
from retail_platform.simulator.products import Products, build_products
from retail_platform.simulator.stores import Stores, build_stores
from retail_platform.simulator.streams import Part, stream
from retail_platform.simulator.suppliers import Suppliers, build_suppliers

_LOCAL_GAPS = 0.06


@dataclass(frozen=True)
class Pairs:
    """Products carried by stores, sorted by store and product (and so by category).

    Attributes:
        store: Index of the store; shape (pairs,).
        product: Index of the product.
        format: Index of the store's format.
        cell: Where its price is set: index of the price zone and the format in one.
        category: Index of the product's category.
        first: Ordinal of the first day on which the store can sell the product.
        last: Ordinal of the last such day.
        weight: Share of the store's lines that the product gets on an ordinary day.
        bounds: Where categories begin; category c of store s is ``bounds[s, c]:bounds[s, c + 1]``.
        lookup: Number of the pair by (store, product), -1 where it is not carried.
    """

    store: Ints
    product: Ints
    format: Ints
    cell: Ints
    category: Ints
    first: Ints
    last: Ints
    weight: Floats
    bounds: Ints
    lookup: Ints

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.store)

    def active(self, day: int) -> Bools:
        """Which pairs can be sold on an ordinal: store open, product launched and not retired."""
        return (self.first <= day) & (day <= self.last)


@dataclass(frozen=True)
class World:
    """The fixed part of a simulation; small, and sent to the workers as it is."""

    config: WorldConfig
    calendar: Calendar
    products: Products
    suppliers: Suppliers
    stores: Stores
    pairs: Pairs


def build_world(config: WorldConfig) -> World:
    """Build the world of a configuration; the same configuration gives the same world."""
    products = build_products(config)
    stores = build_stores(config)
    pairs = _build_pairs(config, products, stores)
    return World(
        config=config,
        calendar=build_calendar(read_holidays()),
        products=products,
        suppliers=build_suppliers(config.seed),
        stores=stores,
        pairs=pairs,
    )


def _build_pairs(config: WorldConfig, products: Products, stores: Stores) -> Pairs:
    """Draw the assortments: what the format carries, with local gaps and local tastes."""
    rng = stream(config.seed, Part.ASSORTMENT)
    shape = (len(stores), len(products))
    level = np.array([FORMAT[name].level for name in FORMATS])[stores.format]
    is_large = stores.format == FORMATS.index("Hipermercado")
    carried = products.level <= level[:, None]
    # The first product of each category is everywhere, so that no store lacks a category it sells.
    leading = np.concatenate([[True], products.category[1:] != products.category[:-1]])
    carried &= is_large[:, None] | leading | (rng.random(shape) >= _LOCAL_GAPS)
    region_taste = rng.normal(0.0, REGION_TASTE_SIGMA, (len(REGIONS), len(products)))
    taste = np.exp(region_taste[stores.region] + rng.normal(0.0, LOCAL_TASTE_SIGMA, shape))
    store, product = np.nonzero(carried)
    category = products.category[product]
    weight = (products.popularity * taste)[carried]
    block = store * len(CATEGORIES) + category
    blocks = len(stores) * len(CATEGORIES)
    total = np.bincount(block, weight, blocks)
    share = np.array([FORMAT[name].category_share for name in FORMATS])[stores.format].ravel()
    weight = weight / total[block] * share[block]
    weight = weight / np.bincount(store, weight, len(stores))[store]
    bounds = np.searchsorted(block, np.arange(blocks + 1))
    lookup = np.full(shape, -1)
    lookup[store, product] = np.arange(len(store))
    ends = bounds[1:].reshape(len(stores), -1)
    return Pairs(
        store=store,
        product=product,
        format=stores.format[store],
        cell=(stores.zone * len(FORMATS) + stores.format)[store],
        category=category,
        first=np.maximum(stores.opening[store], products.launch[product]),
        last=np.minimum(stores.closing[store], products.retire[product]),
        weight=weight,
        bounds=np.column_stack([bounds[:-1].reshape(len(stores), -1), ends[:, -1]]),
        lookup=lookup,
    )
