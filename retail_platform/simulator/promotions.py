"""Campaigns: which product is how much cheaper in which format, and what that does to demand."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from retail_platform.simulator.arrays import Bools, Floats, Ints
from retail_platform.simulator.parameters import (
    FORMAT,
    FORMATS,
    PROMO_DIP_DAYS,
    PROMO_DIP_MAX,
    PROMO_DIP_SHARE,
    PROMO_DISCOUNT_WEIGHTS,
    PROMO_DISCOUNTS,
    PROMO_GROUPS,
    PROMO_PROBABILITY,
)
from retail_platform.simulator.products import Products
from retail_platform.simulator.streams import Part, stream

FORTNIGHT = 14
FIRST_CAMPAIGN_DAY = date(2010, 1, 4).toordinal()


@dataclass(frozen=True)
class Promotions:
    """Promotions; every array has one entry per promotion.

    Attributes:
        promotion_id: Campaign number times 1000 plus the number inside it.
        product: Index of the product.
        format: Index of the format.
        first: Ordinal of the first day.
        last: Ordinal of the last day.
        discount: Price cut in per cent.
    """

    promotion_id: Ints
    product: Ints
    format: Ints
    first: Ints
    last: Ints
    discount: Ints


def promotions_between(products: Products, seed: int, first: int, last: int) -> Promotions:
    """All promotions that touch the days from ``first`` to ``last`` (ordinals)."""
    numbers = range(_campaign(first), _campaign(last) + 1)
    parts = [_draw_campaign(products, seed, number) for number in numbers]
    everything = [
        np.concatenate([getattr(part, name) for part in parts])
        for name in Promotions.__dataclass_fields__
    ]
    promotions = Promotions(*everything)
    return _select(promotions, (promotions.last >= first) & (promotions.first <= last))


def _select(promotions: Promotions, keep: Bools) -> Promotions:
    return Promotions(
        *(getattr(promotions, name)[keep] for name in Promotions.__dataclass_fields__)
    )


def _campaign(day: int) -> int:
    return (day - FIRST_CAMPAIGN_DAY) // FORTNIGHT


def _draw_campaign(products: Products, seed: int, number: int) -> Promotions:
    """The promotions of one fortnight.

    Only one group of products takes part in a fortnight, so a product rests for two of them and the
    dip after one promotion never meets the next.
    """
    rng = stream(seed, Part.PROMOTIONS, number)
    shape = (len(FORMATS), len(products))
    begin = FIRST_CAMPAIGN_DAY + number * FORTNIGHT
    offset = rng.integers(0, 5, shape)
    length = rng.integers(7, FORTNIGHT - 4 + 1, shape)
    discount = rng.choice(PROMO_DISCOUNTS, shape, p=PROMO_DISCOUNT_WEIGHTS)
    chosen = rng.random(shape) < PROMO_PROBABILITY
    level = np.array([FORMAT[name].level for name in FORMATS])
    chosen &= products.promo_group == number % PROMO_GROUPS
    chosen &= products.level <= level[:, None]
    first = begin + offset
    last = first + length - 1
    chosen &= (first >= products.launch) & (last <= products.retire)
    format_, product = np.nonzero(chosen)
    return Promotions(
        promotion_id=number * 1000 + np.arange(1, len(product) + 1),
        product=product,
        format=format_,
        first=first[chosen],
        last=last[chosen],
        discount=discount[chosen],
    )


def promotion_effects(products: Products, seed: int, days: Ints) -> tuple[Ints, Floats]:
    """Discounts on consecutive days, and the dip in the week after a promotion.

    The lift of a price cut c is ``(1 - c) ** -elasticity``; the dip grows with it.

    Returns:
        Discount in per cent and factor of the dip, both of shape (days, formats, products).
    """
    first, last = int(days[0]), int(days[-1])
    shape = (len(days), len(FORMATS), len(products))
    discount = np.zeros(shape, np.int8)
    factor = np.ones(shape)
    promotions = promotions_between(products, seed, first - PROMO_DIP_DAYS, last)
    lift = (1 - promotions.discount / 100) ** -products.elasticity[promotions.product]
    dip = 1 - np.minimum(PROMO_DIP_SHARE * (lift - 1), PROMO_DIP_MAX)
    begin = promotions.first - first
    end = promotions.last - first + 1
    for number, (format_, product) in enumerate(
        zip(promotions.format, promotions.product, strict=True)
    ):
        running = slice(max(begin[number], 0), max(end[number], 0))
        after = slice(max(end[number], 0), max(end[number] + PROMO_DIP_DAYS, 0))
        discount[running, format_, product] = promotions.discount[number]
        factor[after, format_, product] *= dip[number]
    return discount, factor
