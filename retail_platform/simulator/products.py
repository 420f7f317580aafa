"""The catalogue: names, brands, life, popularity, list prices and costs."""

import csv
from dataclasses import dataclass
from datetime import date

import numpy as np
from mimesis import Generic, Locale

from retail_platform.simulator.arrays import Floats, Ints, Texts
from retail_platform.simulator.config import WorldConfig
from retail_platform.simulator.parameters import (
    AFFINITIES,
    CASE_PIECES,
    CATEGORIES,
    CATEGORY,
    ELASTICITY_SPREAD,
    ELECTRONICS_PRICE_DRIFT,
    FORMAT,
    FORMATS,
    INFLATION,
    INFLATION_LATER,
    LATE_LAUNCH_SHARE,
    LIFE_WINDOW_DAYS,
    PRICE_BASE_YEAR,
    PROMO_GROUPS,
    REFERENCE,
    RETIRE_SHARE,
)
from retail_platform.simulator.streams import Part, stream
from retail_platform.simulator.suppliers import supplier_of_brand

NEVER = date.max.toordinal()
_BRAND_TEMPLATE = {
    "Abarrotes": "Despensa {}",
    "Bebidas": "Manantial {}",
    "Lácteos": "Establo {}",
    "Carnes y Pescados": "Rancho {}",
    "Frutas y Verduras": "Huerta {}",
    "Limpieza": "Hogar {}",
    "Cuidado Personal": "Botica {}",
    "Electrónica": "{} Tec",
}
_BRANDS_PER_CATEGORY = 4
_SKU_PREFIX = ("ABA", "BEB", "LAC", "CAR", "FYV", "LIM", "CUI", "ELE")
_PROTECTED_RANKS = 5


@dataclass(frozen=True)
class Products:
    """All products of the world; every array has one entry per product, sorted by category.

    Attributes:
        product_id: 1, 2, ...
        sku: Business key.
        name: Product, brand and presentation.
        brand: Invented brand.
        category: Index in ``CATEGORIES``.
        subcategory: Name in the catalogue.
        vat: VAT rate in per cent, 0 or 16.
        by_weight: Whether units are kilograms.
        case: Pieces, or kilograms, of a case.
        supplier: Index of the supplier; a brand has one.
        level: Assortment level, 1 = carried by every format.
        base_price: Price in the middle of the base year, in pesos with VAT.
        margin: Gross margin before VAT.
        elasticity: Planted own-price elasticity, absolute value.
        popularity: Relative lines inside the category.
        launch: Ordinal of the first day of sale.
        retire: Ordinal of the last day of sale, or ``NEVER``.
        promo_group: Products of one group are promoted in the same fortnights.
        complement: Index of the product bought along, or -1.
        complement_probability: Probability of buying it along.
    """

    product_id: Ints
    sku: Texts
    name: Texts
    brand: Texts
    category: Ints
    subcategory: Texts
    vat: Ints
    by_weight: Ints
    case: Ints
    supplier: Ints
    level: Ints
    base_price: Floats
    margin: Floats
    elasticity: Floats
    popularity: Floats
    launch: Ints
    retire: Ints
    promo_group: Ints
    complement: Ints
    complement_probability: Floats

    def __len__(self) -> int:
        """Number of products."""
        return len(self.product_id)


def build_products(config: WorldConfig) -> Products:
    """Read the catalogue and draw what is not written in it."""
    with (REFERENCE / "products.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    count = len(rows)
    rng = stream(config.seed, Part.PRODUCTS)
    category = np.array([CATEGORIES.index(row["categoria"]) for row in rows])
    starts = np.searchsorted(category, np.arange(len(CATEGORIES)))
    rank = np.arange(count) - starts[category] + 1
    parameters = [CATEGORY[CATEGORIES[index]] for index in category]
    brand, brand_number = _draw_brands(config.seed, category, rng)
    launch, retire = _draw_lives(config, rank, rng)
    names = [row["producto"] for row in rows]
    complement = np.full(count, -1)
    probability = np.zeros(count)
    for first, second, share in AFFINITIES:
        complement[names.index(first)] = names.index(second)
        probability[names.index(first)] = share
    exponent = np.array([p.popularity_exponent for p in parameters])
    popularity = rank**-exponent * rng.lognormal(0.0, 0.08, count)
    spread = rng.uniform(1 - ELASTICITY_SPREAD, 1 + ELASTICITY_SPREAD, count)
    mean_spread = np.bincount(category, popularity * spread) / np.bincount(category, popularity)
    return Products(
        product_id=np.arange(1, count + 1),
        sku=np.array([f"{_SKU_PREFIX[c]}-{i + 1:05d}" for i, c in enumerate(category)], object),
        name=np.array(
            [f"{r['producto']} {b} {r['presentacion']}" for r, b in zip(rows, brand, strict=True)],
            object,
        ),
        brand=brand,
        category=category,
        subcategory=np.array([row["subcategoria"] for row in rows], object),
        vat=np.array([int(row["iva_pct"]) for row in rows]),
        by_weight=np.array([int(row["por_peso"]) for row in rows]),
        case=_draw_cases(config, category),
        supplier=supplier_of_brand(category, brand_number),
        level=np.array([int(row["nivel"]) for row in rows]),
        base_price=np.array([float(row["precio"]) for row in rows]),
        margin=np.array([p.margin for p in parameters]) + rng.uniform(-0.03, 0.03, count),
        elasticity=np.array([p.elasticity for p in parameters]) * spread / mean_spread[category],
        popularity=popularity,
        launch=launch,
        retire=retire,
        promo_group=rng.permutation(count) % PROMO_GROUPS,
        complement=complement,
        complement_probability=probability,
    )


def _draw_cases(config: WorldConfig, category: Ints) -> Ints:
    """Draw the size of each product's case from those of its category."""
    rng = stream(config.seed, Part.SUPPLIERS)
    full = np.array([rng.choice(CASE_PIECES[CATEGORIES[index]]) for index in category])
    return np.maximum(np.rint(full * config.store_volume), 1).astype(int)


def _draw_brands(seed: int, category: Ints, rng: np.random.Generator) -> tuple[Texts, Ints]:
    """Invent brands: a template of the category with a surname, so that none is a real one.

    Returns:
        The brand of each product, and its number in the category.
    """
    person = Generic(Locale.ES_MX, seed=seed).person
    surnames: list[str] = []
    while len(surnames) < _BRANDS_PER_CATEGORY * len(CATEGORIES):
        surname = person.surname()
        if surname not in surnames:
            surnames.append(surname)
    number = rng.integers(0, _BRANDS_PER_CATEGORY, len(category))
    brand = np.array(
        [
            _BRAND_TEMPLATE[CATEGORIES[c]].format(surnames[c * _BRANDS_PER_CATEGORY + n])
            for c, n in zip(category, number, strict=True)
        ],
        object,
    )
    return brand, number


def _draw_lives(config: WorldConfig, rank: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw launch and retirement; the best sellers of a category live through the whole history."""
    start = config.start.toordinal()
    count = len(rank)
    movable = rng.permutation(np.flatnonzero(rank > _PROTECTED_RANKS))
    late = movable[: round(LATE_LAUNCH_SHARE * count)]
    leaving = movable[len(late) : len(late) + round(RETIRE_SHARE * count)]
    launch = start - rng.integers(200, 4000, count)
    launch[late] = start + rng.integers(*LIFE_WINDOW_DAYS, len(late))
    retire = np.full(count, NEVER)
    retire[leaving] = start + rng.integers(*LIFE_WINDOW_DAYS, len(leaving))
    return launch, retire


def list_prices(products: Products, seed: int, days: Ints) -> Ints:
    """List prices in cents with VAT, by day, format and product.

    A product's price changes once or twice a year and then follows the price index of that day, so
    prices are steps, and relative prices move.

    Args:
        products: The catalogue.
        seed: Seed of the world.
        days: Consecutive ordinals.

    Returns:
        Shape (days, formats, products).
    """
    years = range(date.fromordinal(int(days[0])).year - 1, date.fromordinal(int(days[-1])).year + 1)
    changes, levels = zip(*(_price_changes(products, seed, year) for year in years), strict=True)
    change = np.concatenate(changes)  # (changes, products), in time order
    level = np.concatenate(levels)
    index = (change[None] <= days[:, None, None]).sum(axis=1) - 1
    price = products.base_price * np.take_along_axis(level, index, axis=0)
    factor = np.array([FORMAT[name].price_factor for name in FORMATS])
    return round_price(price[:, None, :] * factor[None, :, None])


def unit_costs(products: Products, days: Ints) -> Ints:
    """Unit costs in cents without VAT, by day and product; suppliers change them every quarter."""
    quarter = np.array([_quarter_start(int(day)) for day in days])
    index = np.where(
        _is_electronics(products), _drift(quarter)[:, None], _price_index(quarter)[:, None]
    )
    net = products.base_price * (1 - products.margin) / (1 + products.vat / 100)
    cents: Ints = np.rint(100 * net * index).astype(np.int64)
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


def _price_changes(products: Products, seed: int, year: int) -> tuple[Ints, Floats]:
    """The two price changes of a year: ordinals and levels, shape (2, products)."""
    rng = stream(seed, Part.PRICES, year)
    count = len(products)
    january = date(year, 1, 1).toordinal()
    spring = january + rng.integers(9, 110, count)
    autumn = january + rng.integers(180, 290, count)
    second = rng.random(count) < 0.6
    noise = np.exp(rng.normal(0.0, 0.015, (2, count)))
    change = np.stack([spring, np.where(second, autumn, spring)])
    noise[1] = np.where(second, noise[1], noise[0])
    index = np.where(_is_electronics(products), _drift(change), _price_index(change))
    return change, index * noise


def _is_electronics(products: Products) -> Ints:
    return products.category == CATEGORIES.index("Electrónica")


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


def _quarter_start(day: int) -> int:
    moment = date.fromordinal(day)
    return moment.replace(month=(moment.month - 1) // 3 * 3 + 1, day=1).toordinal()
