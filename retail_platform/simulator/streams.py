"""One independent random stream for each part of the world and each day.

Streams are keyed, never consumed across days: a day's draws depend on (seed, part, day) alone, so a
world may be made at once, day by day or by any number of workers and comes out the same.
"""

from enum import IntEnum

import numpy as np


class Part(IntEnum):
    """What a stream is for; the numbers are part of the world's identity and never change."""

    PRODUCTS = 1
    STORES = 2
    ASSORTMENT = 3
    PRICES = 4
    PROMOTIONS = 5
    DEMAND = 6
    SUPPLY = 7
    OUTAGES = 8
    RETURNS = 9
    OPENING_STOCK = 10
    DEFECTS = 11
    ORDERS = 12
    SUPPLIERS = 13
    COSTS = 14
    WEEKLY_PRICES = 15
    SHOCKS = 16
    CHARACTER = 17
    ATTRIBUTES = 18


def stream(seed: int, part: Part, *keys: int) -> np.random.Generator:
    """Return the generator of a part, and of a day or another key of that part.

    Args:
        seed: Seed of the world, not negative.
        part: The part of the world.
        keys: Non-negative numbers that separate streams inside the part.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(int(part), *keys))
    return np.random.Generator(np.random.PCG64DXSM(sequence))
