"""Attributes of stores and products that change over time; the catalogues deliver today's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from retail_platform.simulator.parameters import (
    AREA_MOVE_SHARE,
    AREAS_PER_REGION,
    RECLASSIFIED,
    REGIONS,
)
from retail_platform.simulator.streams import Part, stream
from retail_platform.simulator.world import World

_SEASON_DAYS = 91


@dataclass(frozen=True)
class Change:
    """A new value of an attribute.

    Attributes:
        table: Catalogue.
        number: Id of the row.
        column: Attribute.
        day: First day of the new value.
        before: Old value.
        after: New value.
    """

    table: str
    number: int
    column: str
    day: date
    before: str
    after: str


def store_areas(world: World, end: date) -> list[str]:
    """Area of the regional managers that each store belongs to on a day."""
    area = _first_areas(world)
    for change in _area_changes(world, end):
        area[change.number - 1] = change.after
    return area


def product_classes(world: World, end: date) -> tuple[list[str], list[str]]:
    """Category and subcategory of each product as the catalogue says on a day."""
    products = world.products
    category = [products.category_name(index) for index in range(len(products))]
    subcategory = products.subcategory.tolist()
    for change in _class_changes(world, end):
        values = category if change.column == "categoria" else subcategory
        values[change.number - 1] = change.after
    return category, subcategory


def attribute_changes(world: World, end: date) -> list[Change]:
    """All changes up to a day, in the order of their days."""
    changes = [*_area_changes(world, end), *_class_changes(world, end)]
    return sorted(changes, key=lambda change: (change.day, change.table, change.number))


def _first_areas(world: World) -> list[str]:
    rng = stream(world.config.seed, Part.ATTRIBUTES)
    number = rng.integers(1, AREAS_PER_REGION + 1, len(world.stores))
    regions = [REGIONS[index] for index in world.stores.region]
    return [f"{region} {n}" for region, n in zip(regions, number, strict=True)]


def _area_changes(world: World, end: date) -> Iterator[Change]:
    """Moves of stores between the areas of their region, drawn for every quarter of a year."""
    area = _first_areas(world)
    start = world.config.start.toordinal()
    count = len(world.stores)
    for quarter in range((end.toordinal() - start) // _SEASON_DAYS + 1):
        rng = stream(world.config.seed, Part.ATTRIBUTES, quarter)
        moves = rng.random(count) < AREA_MOVE_SHARE
        day = start + quarter * _SEASON_DAYS + rng.integers(1, _SEASON_DAYS, count)
        step = rng.integers(1, AREAS_PER_REGION, count)
        for index in np.flatnonzero(moves & (day <= end.toordinal())):
            region, number = area[index].rsplit(" ", 1)
            after = f"{region} {(int(number) - 1 + step[index]) % AREAS_PER_REGION + 1}"
            moved = date.fromordinal(int(day[index]))
            yield Change("tiendas", int(index) + 1, "gerencia", moved, area[index], after)
            area[index] = after


def _class_changes(world: World, end: date) -> Iterator[Change]:
    """Products that the buyers put into another category."""
    products = world.products
    for name, days, category, subcategory in RECLASSIFIED:
        day = date.fromordinal(world.config.start.toordinal() + days)
        [index] = [i for i, full in enumerate(products.name) if full.startswith(f"{name} ")]
        if day <= end:
            old = products.category_name(index), str(products.subcategory[index])
            columns = zip(("categoria", "subcategoria"), old, (category, subcategory), strict=True)
            for column, before, after in columns:
                yield Change("productos", index + 1, column, day, before, after)
