"""Goods that will come back: drawn with the demand, so that the shelves know of them in time.

Of a line that is not served nothing comes back, nor of any other line of its product on that day in
that store: what was scarce is kept.
"""

from dataclasses import dataclass, fields
from datetime import date

import numpy as np

from retail_platform.simulator.arrays import MILLI, Bools, Ints
from retail_platform.simulator.parameters import (
    CATEGORIES,
    CATEGORY,
    CHANNEL_RETURN_FACTOR,
    DAY_KINDS,
    FORMATS,
    GIFT_FROM,
    GIFT_RETURN_DAYS,
    GIFT_RETURN_FACTOR,
    GIFT_RETURN_LATE,
    GIFT_UNTIL,
    OPENING_HOURS,
    PERISHABLE,
    RETURN_DAYS,
    RETURN_PARTIAL,
    RETURN_REASON_WEIGHTS,
    RETURN_REASONS,
    RETURN_RESTOCK,
)
from retail_platform.simulator.streams import Part, stream
from retail_platform.simulator.world import World

_WEEK = 7
_RATE = np.array([CATEGORY[name].return_rate for name in CATEGORIES])
_GIFT_FACTOR = np.array([GIFT_RETURN_FACTOR.get(name, 1.0) for name in CATEGORIES])
_REASONS = np.cumsum([RETURN_REASON_WEIGHTS[name] for name in CATEGORIES], axis=2)
_RESTOCK = np.array([RETURN_RESTOCK[name] for name in RETURN_REASONS])
_KEEPS = np.array([name not in PERISHABLE for name in CATEGORIES])
_CLOSED = np.array([[begin == end for begin, end in OPENING_HOURS[name]] for name in FORMATS])


@dataclass(frozen=True)
class Comebacks:
    """Returns of wanted lines; every array has one entry per return.

    Attributes:
        line: Position of the line in the demand.
        day: Ordinal of the return.
        quantity: Thousandths of a unit.
        reason: Index in ``RETURN_REASONS``.
        restocked: Whether the goods go back to the shelf in the evening of the return.
    """

    line: Ints
    day: Ints
    quantity: Ints
    reason: Ints
    restocked: Bools

    def select(self, keep: Bools | Ints) -> "Comebacks":
        """The returns at the given positions."""
        return Comebacks(*(getattr(self, field.name)[keep] for field in fields(self)))


def join_comebacks(parts: list[Comebacks], lines: list[int]) -> Comebacks:
    """Put the returns of consecutive days together.

    Args:
        parts: One of each day, lines counted from the day's first.
        lines: Lines wanted on each day.
    """
    begin = np.cumsum([0, *lines[:-1]])
    return Comebacks(
        np.concatenate([part.line + first for part, first in zip(parts, begin, strict=True)]),
        *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Comebacks)[1:]),
    )


def draw_comebacks(
    world: World, day: int, store: Ints, pair: Ints, channel: Ints, quantity: Ints
) -> Comebacks:
    """Draw what comes back of the lines wanted on a day.

    Args:
        world: The fixed part of the simulation.
        day: The day.
        store: Store of each line.
        pair: Pair of each line.
        channel: Channel of each line.
        quantity: Thousandths of a unit of each line.
    """
    rng = stream(world.config.seed, Part.RETURNS, day)
    today = date.fromordinal(day)
    is_gift = GIFT_FROM <= (today.month, today.day) <= GIFT_UNTIL
    rate = _RATE * _GIFT_FACTOR if is_gift else _RATE
    chance = rate[world.pairs.category[pair]] * np.array(CHANNEL_RETURN_FACTOR)[channel]
    line = np.flatnonzero(rng.random(len(pair)) < chance)
    count = len(line)
    store, pair, channel = store[line], pair[line], channel[line]
    category = world.pairs.category[pair]
    # A beta with mean 1/4 spreads the days: most come in the first week, none after thirty days.
    lag = 1 + np.floor(RETURN_DAYS * rng.beta(1, 3, count)).astype(np.int64)
    if is_gift:
        after = date(today.year, 12, 26).toordinal() - day
        late = after + np.floor(GIFT_RETURN_DAYS * rng.beta(1, 2, count)).astype(np.int64)
        lag = np.where(rng.random(count) < GIFT_RETURN_LATE, np.minimum(late, RETURN_DAYS), lag)
    when = _open_days(world, store, day + lag, rng)
    pieces = quantity[line] // MILLI
    can_split = (world.products.by_weight[world.pairs.product[pair]] == 0) & (pieces > 1)
    is_part = can_split & (rng.random(count) < RETURN_PARTIAL)
    some = (1 + np.floor(rng.random(count) * (pieces - 1))).astype(np.int64) * MILLI
    weights = _REASONS[category, np.minimum(channel, 1)]
    reason = (weights <= rng.random(count)[:, None]).sum(axis=1)
    reason = np.minimum(reason, len(RETURN_REASONS) - 1)
    restocked = _KEEPS[category] & (rng.random(count) < _RESTOCK[reason])
    restocked &= when < world.pairs.last[pair]
    comebacks = Comebacks(line, when, np.where(is_part, some, quantity[line]), reason, restocked)
    return comebacks.select((when <= world.stores.closing[store]) & (when <= day + RETURN_DAYS))


def _open_days(world: World, store: Ints, days: Ints, rng: np.random.Generator) -> Ints:
    """Move returns to days on which customers come: more on the store's busy days, none closed."""
    weekday = world.stores.weekday[:, store]
    busy = weekday / weekday.max(axis=0)
    column = np.arange(len(store))
    for _ in range(2):
        goes = rng.random(len(store)) < busy[(days - 1) % _WEEK, column]
        days = np.where(goes, days, days + 1)
    format_ = world.stores.format[store]
    for _ in range(len(DAY_KINDS)):
        days = days + _CLOSED[format_, world.calendar.kinds(days)]
    return days
