"""The catalogue: names, brands, suppliers, life and popularity."""

import csv
from dataclasses import dataclass
from datetime import date

import numpy as np
from mimesis import Generic, Locale

from retail_platform.simulator.arrays import Floats, Ints, Texts
from retail_platform.simulator.config import WorldConfig
from retail_platform.simulator.parameters import (
    AFFINITIES,
    BEGIN_WINDOW_DAYS,
    CASE_PIECES,
    CATEGORIES,
    CATEGORY,
    ELASTICITY_SPREAD,
    END_WINDOW_DAYS,
    LATE_LAUNCH_SHARE,
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
        dear_day: Day of the year on which fresh produce costs most.
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
    dear_day: Ints
    launch: Ints
    retire: Ints
    promo_group: Ints
    complement: Ints
    complement_probability: Floats

    def __len__(self) -> int:
        """Number of products."""
        return len(self.product_id)

    def category_name(self, index: int) -> str:
        """Name of the category that a product is sold in."""
        return CATEGORIES[self.category[index]]


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
        dear_day=stream(config.seed, Part.WEEKLY_PRICES).integers(0, 365, count),
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
    launch[late] = start + rng.integers(*BEGIN_WINDOW_DAYS, len(late))
    retire = np.full(count, NEVER)
    retire[leaving] = start + rng.integers(*END_WINDOW_DAYS, len(leaving))
    return launch, retire
