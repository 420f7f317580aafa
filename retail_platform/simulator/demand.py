"""What customers want: tickets with their channel, hour and lines, before the shelf is asked.

Tickets come first and carry their lines, so lines of a ticket share store, channel and hour by
construction. A store's rate is absolute: it is the sum of the rates of its products, so a promotion
brings lines and does not merely shift them.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from retail_platform.simulator.arrays import MILLI, Floats, Ints
from retail_platform.simulator.comebacks import Comebacks, draw_comebacks, join_comebacks
from retail_platform.simulator.parameters import (
    CATEGORIES,
    CATEGORY,
    CHANNEL_BASKET,
    CHANNEL_CAP,
    CHANNEL_SLOPE,
    CHANNEL_START,
    CHANNEL_TILT,
    CHANNELS,
    DAY_KINDS,
    DAY_PARTS,
    FORMAT,
    FORMATS,
    HOURS,
    OPENING_HOURS,
    PAIR_DAY_GAMMA_SHAPE,
    PART_TILT,
    REGION_DAY_MEMORY,
    REGION_DAY_SIGMA,
    REGIONS,
    STORE_DAY_SIGMA,
)
from retail_platform.simulator.prices import Prices, prices_between
from retail_platform.simulator.products import Products
from retail_platform.simulator.stores import Stores
from retail_platform.simulator.streams import Part, stream
from retail_platform.simulator.world import World

WEIGHT_JITTER = 0.04
"""Half-width, relative, of the spread of a weight around its quantile: scales show grams."""
_QUANTILES = 256
_MEMORY_DAYS = 30
_LEAST_SHARE = 1e-9
_PARTS = len(DAY_PARTS) - 1
_SEGMENTS = len(CHANNELS) * _PARTS
_BELOW_ONE = 1 - 1e-9


@dataclass(frozen=True)
class Demand:
    """Tickets and lines wanted on consecutive days, in the order in which customers come.

    Attributes:
        days: Ordinals of the days.
        tickets_per_day: Tickets of each day; shape (days,).
        lines_per_day: Lines of each day; shape (days,).
        ticket_store: Store of each ticket; sorted by day, store and second.
        ticket_channel: Channel of each ticket.
        ticket_second: Second of the day of each ticket.
        ticket_lines: Lines of each ticket.
        line_pair: Pair of each line.
        line_quantity: Thousandths of a unit of each line.
        comebacks: What will come back of the lines, if they are served.
        prices: Those of the days.
    """

    days: Ints
    tickets_per_day: Ints
    lines_per_day: Ints
    ticket_store: Ints
    ticket_channel: Ints
    ticket_second: Ints
    ticket_lines: Ints
    line_pair: Ints
    line_quantity: Ints
    comebacks: Comebacks
    prices: Prices


@dataclass(frozen=True)
class Habits:
    """Tables of shopping habits; they depend on parameters, the catalogue and the stores only.

    Attributes:
        basket: Mean lines of a ticket; shape (formats, segments).
        dispersion: Gamma shape of basket sizes; shape (formats,).
        part_share: Share of the parts of the day in the channel's ordinary day, by kind of day;
            shape (kinds, stores, segments): 1 per channel, less where the store closes early.
        tilt: Taste for a category; shape (segments, categories), before it is levelled.
        hour_weight: Cumulated weights of hours; shape (kinds * formats * channels * 24 + 1,).
        quantity: Quantiles of the quantity of a line, in thousandths; shape (formats, products, n).
    """

    basket: Floats
    dispersion: Floats
    part_share: Floats
    tilt: Floats
    hour_weight: Floats
    quantity: Ints

    @property
    def mean_quantity(self) -> Floats:
        """Mean units of a line; shape (formats, products)."""
        mean: Floats = self.quantity.mean(axis=2) / MILLI
        return mean


def build_habits(products: Products, stores: Stores) -> Habits:
    """Compute the habit tables of a catalogue and a chain."""
    formats = [FORMAT[name] for name in FORMATS]
    hours = _hours()
    lines = np.array([f.lines_per_ticket for f in formats])
    basket = 1 + np.outer(lines - 1, CHANNEL_BASKET)
    tilt = np.array(CHANNEL_TILT)[:, None, :] * np.array(PART_TILT)[None, :, :]
    return Habits(
        basket=np.repeat(basket, _PARTS, axis=1),
        dispersion=np.array([f.basket_dispersion for f in formats]),
        part_share=_part_shares(hours, stores),
        tilt=tilt.reshape(_SEGMENTS, len(CATEGORIES)),
        hour_weight=np.concatenate([[0.0], np.cumsum(hours.ravel())]),
        quantity=_quantity_quantiles(products),
    )


def _hours() -> Floats:
    """Weights of the hours in an ordinary day's total; shape (kinds, formats, channels, 24).

    On weekends customers come within the hours; on special days those of the other hours stay away.
    """
    usual = np.array(
        [[HOURS[name if c == "tienda" else "online"] for c in CHANNELS] for name in FORMATS], float
    )
    hours = np.repeat(usual[None], len(DAY_KINDS), axis=0)
    for row, name in enumerate(FORMATS):
        for kind, (opens, closes) in enumerate(OPENING_HOURS[name]):
            is_open = (np.arange(24) >= opens) & (np.arange(24) < closes)
            hours[kind, row, 0] *= is_open
            hours[kind, row, 1:] *= is_open.any()
    ordinary = hours[[DAY_KINDS.index("weekday")]].sum(axis=3, keepdims=True)
    weekend = DAY_KINDS.index("weekend")
    hours /= ordinary
    hours[weekend] /= hours[weekend].sum(axis=2, keepdims=True)
    return hours


def _part_shares(hours: Floats, stores: Stores) -> Floats:
    """Shares of the parts of the day; shape (kinds, stores, segments)."""
    parts = np.stack(
        [hours[..., a:b].sum(axis=3) for a, b in zip(DAY_PARTS, DAY_PARTS[1:], strict=False)],
        axis=3,
    )[:, stores.format]
    own = parts[:, :, 0] * stores.part
    parts[:, :, 0] = own / own[[DAY_KINDS.index("weekday")]].sum(axis=2, keepdims=True)
    weekend = DAY_KINDS.index("weekend")
    parts[weekend, :, 0] /= parts[weekend, :, 0].sum(axis=1, keepdims=True)
    return parts.reshape(len(DAY_KINDS), len(stores), _SEGMENTS)


def region_shocks(seed: int, days: Ints) -> Floats:
    """Log deviations of the regions' demand on consecutive days, shape (days, regions).

    Each is a sum over the days before, weighed by memory, so it needs no state.
    """
    begin = int(days[0]) - _MEMORY_DAYS
    draws = np.array(
        [
            stream(seed, Part.SHOCKS, day).normal(0, 1, len(REGIONS))
            for day in range(begin, int(days[-1]) + 1)
        ]
    )
    shocks = np.zeros((len(days), len(REGIONS)))
    for back in range(_MEMORY_DAYS + 1):
        start = _MEMORY_DAYS - back
        shocks += REGION_DAY_MEMORY**back * draws[start : start + len(days)]
    return shocks * REGION_DAY_SIGMA * (1 - REGION_DAY_MEMORY**2) ** 0.5


def _quantity_quantiles(products: Products) -> Ints:
    """Quantiles of line quantities: geometric for pieces, lognormal in grams by weight."""
    u = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    normal = np.array([NormalDist().inv_cdf(float(x)) for x in u])
    tables = np.empty((len(FORMATS), len(products), _QUANTILES), np.int64)
    for row, name in enumerate(FORMATS):
        factor = FORMAT[name].units_factor
        for column, category in enumerate(products.category):
            mean = CATEGORY[CATEGORIES[category]].mean_units
            if products.by_weight[column]:
                kilograms = 0.75 * factor**0.5 * np.exp(0.5 * normal)
                tables[row, column] = np.maximum(np.rint(kilograms * MILLI), 100)
            else:
                more = (mean - 1) * factor
                pieces = np.ceil(np.log1p(-u) / np.log(more / (1 + more)))
                tables[row, column] = np.maximum(pieces, 1) * MILLI
    return tables


def channel_shares(days: Ints, start: int) -> Floats:
    """Share of each channel in the chain's tickets, shape (days, channels); digital ones grow."""
    years = (days - start)[:, None] / 365.25
    digital = np.minimum(np.array(CHANNEL_START) + np.array(CHANNEL_SLOPE) * years, CHANNEL_CAP)
    return np.column_stack([1 - digital.sum(axis=1), digital])


def format_channel_shares(days: Ints, start: int) -> Floats:
    """Share of each channel in a format's tickets, shape (days, formats, channels)."""
    factor = np.array([FORMAT[name].online_factor for name in FORMATS])
    digital = channel_shares(days, start)[:, None, 1:] * factor[None, :, None]
    return np.concatenate([1 - digital.sum(axis=2, keepdims=True), digital], axis=2)


def ordinary_volume(world: World, days: Ints) -> Floats:
    """Lines a day that a store may expect before season and prices, shape (days, stores)."""
    volume = world.stores.volume(days) * world.stores.weekday[(days - 1) % 7]
    volume *= world.calendar.paydays(days)[:, world.stores.region]
    return volume


def want(world: World, habits: Habits, days: Ints) -> Demand:
    """Draw the demand of consecutive days.

    Args:
        world: The fixed part of the simulation.
        habits: Its habit tables.
        days: Consecutive ordinals.
    """
    category = world.calendar.categories(days)
    volume = ordinary_volume(world, days)
    volume *= np.exp(region_shocks(world.config.seed, days))[:, world.stores.region]
    prices = prices_between(world.products, world.config.seed, days)
    by_price = prices.factor
    product_factor = category[:, None, world.products.category] * by_price
    channel = format_channel_shares(days, world.config.start.toordinal())
    share = np.repeat(channel, _PARTS, axis=2)[:, world.stores.format]
    share *= habits.part_share[world.calendar.kinds(days)]
    drawn = [
        _want_day(world, habits, int(day), volume[n], product_factor[n], by_price[n], share[n])
        for n, day in enumerate(days)
    ]
    return Demand(
        days=days,
        tickets_per_day=np.array([len(day[0]) for day in drawn]),
        lines_per_day=np.array([len(day[4]) for day in drawn]),
        ticket_store=np.concatenate([day[0] for day in drawn]),
        ticket_channel=np.concatenate([day[1] for day in drawn]),
        ticket_second=np.concatenate([day[2] for day in drawn]),
        ticket_lines=np.concatenate([day[3] for day in drawn]),
        line_pair=np.concatenate([day[4] for day in drawn]),
        line_quantity=np.concatenate([day[5] for day in drawn]),
        prices=prices,
        comebacks=join_comebacks([day[6] for day in drawn], [len(day[4]) for day in drawn]),
    )


def _want_day(
    world: World,
    habits: Habits,
    day: int,
    volume: Floats,
    product_factor: Floats,
    by_price: Floats,
    segment_share: Floats,
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints, Comebacks]:
    """Draw one day: ticket store, channel, second, lines; line pair and quantity; comebacks."""
    pairs, stores = world.pairs, world.stores
    rng = stream(world.config.seed, Part.DEMAND, day)
    shock = np.exp(rng.normal(0, STORE_DAY_SIGMA, len(stores)))
    noise = rng.standard_gamma(PAIR_DAY_GAMMA_SHAPE, len(pairs)) / PAIR_DAY_GAMMA_SHAPE
    rate = pairs.weight * noise * (volume * shock)[pairs.store]
    rate *= product_factor[pairs.cell, pairs.product] * pairs.active(day)
    cumulated = np.concatenate([[0.0], np.cumsum(rate)])
    category_rate = np.diff(cumulated[pairs.bounds], axis=1)

    # Tastes by segment are levelled so that a category's rate over all segments stays what it is.
    # Who finds the store closed stays away, so the shares of a day may be less than one.
    open_share = np.maximum(segment_share.sum(axis=1, keepdims=True), _LEAST_SHARE)
    level = segment_share @ habits.tilt / open_share
    level[level == 0] = 1.0
    tilt = habits.tilt[None] / level[:, None, :]
    segment_rate = tilt * category_rate[:, None, :]  # (stores, segments, categories)
    choice = np.cumsum(segment_rate, axis=2)
    tickets_rate = choice[..., -1] * segment_share / habits.basket[stores.format]
    count = rng.poisson(tickets_rate)

    cell = np.repeat(np.arange(count.size), count.ravel())
    store, segment = np.divmod(cell, _SEGMENTS)
    kind = int(world.calendar.kinds(np.array([day]))[0])
    second = _draw_seconds(habits, kind * len(FORMATS) + stores.format[store], segment, rng)
    order = np.argsort(store * 86_400 + second, kind="stable")
    store, segment, second = store[order], segment[order], second[order]
    size = _draw_sizes(habits, stores.format[store], segment, rng)

    ticket = np.repeat(np.arange(len(store)), size)
    line_store = store[ticket]
    pair = _draw_pairs(
        choice[line_store, segment[ticket]], cumulated, pairs.bounds[line_store], rng
    )
    extra_ticket, extra_pair = _draw_complements(world, ticket, pair, rate, by_price, rng)
    ticket = np.concatenate([ticket, extra_ticket])
    pair = np.concatenate([pair, extra_pair])
    quantile = rng.integers(0, _QUANTILES, len(pair), dtype=np.uint8)
    quantity = habits.quantity[pairs.format[pair], pairs.product[pair], quantile]
    weighed = np.flatnonzero(world.products.by_weight[pairs.product[pair]])
    spread = rng.uniform(1 - WEIGHT_JITTER, 1 + WEIGHT_JITTER, len(weighed))
    quantity[weighed] = np.rint(quantity[weighed] * spread)
    ticket, pair, quantity = _merge(ticket, pair, quantity, len(pairs))
    lines = np.bincount(ticket, minlength=len(store))
    channel = (segment // _PARTS).astype(np.int8)
    comebacks = draw_comebacks(world, day, store[ticket], pair, channel[ticket], quantity)
    return (
        store.astype(np.int32),
        channel,
        second.astype(np.int32),
        lines.astype(np.int16),
        pair.astype(np.int32),
        quantity.astype(np.int32),
        comebacks,
    )


def _draw_seconds(habits: Habits, profile: Ints, segment: Ints, rng: np.random.Generator) -> Ints:
    """Second of the day of each ticket, inside the part of the day of its segment.

    Args:
        habits: The tables.
        profile: Kind of day and format of the store in one number.
        segment: Channel and part of the day.
        rng: Generator of the day.
    """
    channel, part = np.divmod(segment, _PARTS)
    profile = (profile * len(CHANNELS) + channel) * 24
    begin = habits.hour_weight[profile + np.array(DAY_PARTS)[part]]
    end = habits.hour_weight[profile + np.array(DAY_PARTS)[part + 1]]
    target = begin + rng.random(len(segment)) * _BELOW_ONE * (end - begin)
    hour = np.searchsorted(habits.hour_weight, target, side="right") - 1 - profile
    return hour * 3600 + rng.integers(0, 3600, len(segment))


def _draw_sizes(habits: Habits, format_: Ints, segment: Ints, rng: np.random.Generator) -> Ints:
    """Lines of each ticket: one and a gamma-mixed Poisson number of more."""
    shape = habits.dispersion[format_]
    more = habits.basket[format_, segment] - 1
    return 1 + rng.poisson(rng.standard_gamma(shape) * (more / shape))


def _draw_pairs(choice: Floats, cumulated: Floats, bounds: Ints, rng: np.random.Generator) -> Ints:
    """The product of each line: first its category, then one of the store's in it.

    Args:
        choice: Cumulated category rates of the line's store and segment; shape (lines, categories).
        cumulated: Cumulated rates of all pairs; shape (pairs + 1,).
        bounds: Category bounds of the line's store; shape (lines, categories + 1).
        rng: Generator of the day.
    """
    target = rng.random(len(choice)) * _BELOW_ONE * choice[:, -1]
    category = (choice <= target[:, None]).sum(axis=1)
    row = np.arange(len(choice))
    begin = cumulated[bounds[row, category]]
    end = cumulated[bounds[row, category + 1]]
    wanted = begin + rng.random(len(choice)) * _BELOW_ONE * (end - begin)
    found: Ints = np.searchsorted(cumulated, wanted, side="right") - 1
    return found


def _draw_complements(
    world: World, ticket: Ints, pair: Ints, rate: Floats, by_price: Floats, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Lines that come along with another one; their chance follows their own price."""
    pairs, products = world.pairs, world.products
    candidate = np.flatnonzero(products.complement[pairs.product[pair]] >= 0)
    source = pairs.product[pair[candidate]]
    partner = products.complement[source]
    chance = products.complement_probability[source]
    chance = chance * by_price[pairs.cell[pair[candidate]], partner]
    other = pairs.lookup[pairs.store[pair[candidate]], partner]
    taken = (rng.random(len(candidate)) < chance) & (other >= 0) & (rate[other] > 0)
    return ticket[candidate[taken]], other[taken]


def _merge(ticket: Ints, pair: Ints, quantity: Ints, pair_count: int) -> tuple[Ints, Ints, Ints]:
    """Sort lines by ticket and pair and join those of the same product of a ticket."""
    key = ticket * pair_count + pair
    order = np.argsort(key, kind="stable")
    key = key[order]
    is_first = np.concatenate([[True], key[1:] != key[:-1]]) if len(key) else np.zeros(0, bool)
    begin = np.flatnonzero(is_first)
    total = np.add.reduceat(quantity[order], begin) if len(begin) else quantity[:0]
    ticket, pair = np.divmod(key[begin], pair_count)
    return ticket, pair, total
