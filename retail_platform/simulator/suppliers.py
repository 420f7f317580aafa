"""Suppliers: who delivers a brand, how long it takes and how often it goes wrong."""

from dataclasses import dataclass

import numpy as np
from mimesis import Generic, Locale

from retail_platform.simulator.arrays import Floats, Ints, Texts
from retail_platform.simulator.parameters import CATEGORIES, SUPPLIERS

_TEMPLATES = ("Distribuidora {}", "Comercializadora {}", "Proveedora {}")
SUPPLIER_COUNT = sum(len(SUPPLIERS[name]) for name in CATEGORIES)
_FIRST = np.cumsum([0, *(len(SUPPLIERS[name]) for name in CATEGORIES)])
"""Index of the first supplier of each category."""


@dataclass(frozen=True)
class Suppliers:
    """All suppliers; every array has one entry per supplier, sorted by category.

    Attributes:
        name: Invented name.
        category: Index in ``CATEGORIES``.
        lead: Days from an order to the delivery that it is promised for.
        late: Share of the orders that come with the store's next delivery instead.
        complete: Share of the order lines of which every case comes.
    """

    name: Texts
    category: Ints
    lead: Ints
    late: Floats
    complete: Floats

    def __len__(self) -> int:
        """Number of suppliers."""
        return len(self.name)


def supplier_of_brand(category: Ints, brand_number: Ints) -> Ints:
    """Index of the supplier of brands, given by category and their number in it."""
    return _FIRST[category] + brand_number % np.diff(_FIRST)[category]


def build_suppliers(seed: int) -> Suppliers:
    """Name the suppliers of every category."""
    person = Generic(Locale.ES_MX, seed=seed + 1).person
    parameters = [supplier for name in CATEGORIES for supplier in SUPPLIERS[name]]
    surnames: list[str] = []
    while len(surnames) < len(parameters):
        surname = person.surname()
        if surname not in surnames:
            surnames.append(surname)
    names = [_TEMPLATES[i % len(_TEMPLATES)].format(s) for i, s in enumerate(surnames)]
    return Suppliers(
        name=np.array(names, object),
        category=np.repeat(np.arange(len(CATEGORIES)), np.diff(_FIRST)),
        lead=np.array([p.lead_days for p in parameters]),
        late=np.array([p.late_share for p in parameters]),
        complete=np.array([p.complete_share for p in parameters]),
    )
