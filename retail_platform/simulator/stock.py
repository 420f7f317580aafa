"""The shelf, day by day: opening + receipts + restocked - sales - shrink = closing, and orders.

All quantities are whole thousandths of a unit, so every balance is exact. What cannot be sold
because the shelf is empty is lost. A store orders whole cases on the days that let them come with
one of its deliveries; receipts are what the orders bring and nothing else.
"""

from dataclasses import dataclass

import numpy as np

from retail_platform.simulator.arrays import MILLI, Bools, Floats, Ints
from retail_platform.simulator.demand import Habits
from retail_platform.simulator.orders import Orders, join_orders
from retail_platform.simulator.parameters import (
    CATEGORIES,
    CATEGORY,
    ELECTRONICS_DELIVERY_DAYS,
    FORMAT,
    FORMATS,
    OPENING_ORDER_DAYS,
    ORDER_MISSED,
    OUTAGE_DAYS,
    OUTAGE_PROBABILITY,
    PAIR_DAY_GAMMA_SHAPE,
    PERISHABLE,
    PERISHABLE_DELIVERY_DAYS,
    REGIONS,
    SAFETY_DISPERSION,
    STOCK_OUT_TARGET,
)
from retail_platform.simulator.prices import prices_between
from retail_platform.simulator.streams import Part, stream
from retail_platform.simulator.world import World

_DAYS_PER_OUTAGE_DRAW = 30
_WEEK = 7
_HORIZON = 16
"""Days of the ring of orders in transit: longer than any lead time with its delay."""
_RATE_GRID = np.geomspace(1e-4, 80.0, 240)
_LOG_STEP = np.log(_RATE_GRID[1] / _RATE_GRID[0])
_MAX_LEVEL = 1200


@dataclass
class StockState:
    """What carries over from one day to the next.

    Attributes:
        on_hand: Closing stock of each pair.
        in_transit: What will be received, by arrival day modulo the horizon; shape (horizon,
            pairs).
        on_order: What was ordered of it, same shape: stores do not know what will be missing.
        restock: Returned goods that will go back to the shelf: ordinal, pair and thousandths of a
            unit; shape (3, returns).
    """

    on_hand: Ints
    in_transit: Ints
    on_order: Ints
    restock: Ints


@dataclass(frozen=True)
class StockDay:
    """The balance of one day, one entry per pair, in thousandths of a unit, and its orders."""

    opening: Ints
    receipts: Ints
    restocked: Ints
    sold: Ints
    shrink: Ints
    closing: Ints
    orders: Orders


@dataclass(frozen=True)
class Policy:
    """Reorder policy of each pair.

    Attributes:
        lead: Days from order to the promised delivery.
        can_order: Whether an order of a weekday comes with a delivery; shape (7, pairs).
        wait: Days from the promised delivery to the next one, by weekday of the order; same shape.
        cover: Days that an order has to last, from its day on.
        kind: Row of ``level`` for the pair's deliveries, lead time and case.
        level: Reorder level in units by kind and demand rate, shape (kinds, rates).
        rounding: What decides whether the pair rounds its level up or down, in [0, 1).
        mean_quantity: Mean units of a line of the pair.
        case: Thousandths of a unit of a case.
        supplier: Index of the supplier.
    """

    lead: Ints
    can_order: Bools
    wait: Ints
    cover: Ints
    kind: Ints
    level: Floats
    rounding: Floats
    mean_quantity: Floats
    case: Ints
    supplier: Ints


def build_policy(world: World, habits: Habits) -> Policy:
    """Give every pair its delivery days and lead time and compute the reorder levels."""
    pairs, products = world.pairs, world.products
    weeks = delivery_weeks()
    week = pairs.format.copy()
    week[np.isin(pairs.category, [CATEGORIES.index(name) for name in PERISHABLE])] = len(FORMATS)
    week[pairs.category == CATEGORIES.index("Electrónica")] = len(FORMATS) + 1
    supplier = products.supplier[pairs.product]
    lead = world.suppliers.lead[supplier]
    case = products.case[pairs.product]
    kinds, kind = np.unique(np.column_stack([week, lead, case]), axis=0, return_inverse=True)
    # Weekday on which an order would arrive, as the first store counts: each is a day later.
    weekday = (np.arange(_WEEK)[:, None] + lead - pairs.store) % _WEEK
    rng = stream(world.config.seed, Part.SUPPLY)
    return Policy(
        lead=lead,
        can_order=np.array([_gaps(days) for days in weeks])[week, weekday] > 0,
        wait=np.array([_gaps(days) for days in weeks])[week, weekday],
        cover=lead + np.array([round(_WEEK / len(days)) for days in weeks])[week],
        kind=kind.ravel(),
        level=_reorder_levels([(weeks[w], int(days), int(size)) for w, days, size in kinds]),
        rounding=rng.random(len(pairs)),
        mean_quantity=habits.mean_quantity[pairs.format, pairs.product],
        case=case * MILLI,
        supplier=supplier,
    )


def delivery_weeks() -> list[tuple[int, ...]]:
    """Delivery days of the first store: by format, then of perishables and of electronics."""
    usual = [FORMAT[name].delivery_days for name in FORMATS]
    return [*usual, PERISHABLE_DELIVERY_DAYS, ELECTRONICS_DELIVERY_DAYS]


def _gaps(days: tuple[int, ...]) -> Ints:
    """Days from each weekday's delivery to the next one; 0 on weekdays without a delivery."""
    gaps = np.zeros(_WEEK, np.int64)
    for day, following in zip(days, (*days[1:], days[0] + _WEEK), strict=True):
        gaps[day] = following - day
    return gaps


def _reorder_levels(kinds: list[tuple[tuple[int, ...], int, int]]) -> Floats:
    """Level below which cases are ordered, by kind and rate of the grid.

    Demand over t days is negative binomial with mean ``rate * t``; its variance over its mean grows
    with the rate, since good and bad days scale it. After an order the position is S, one of the
    level ... level + case - 1, and the shelf is empty with probability ``P(D(t) >= S)`` on the days
    t from the order's delivery to the next one. The level makes their mean equal to the target. It
    is a real number: pairs round it up or down at random, so that the mean holds for slow goods.

    Args:
        kinds: Delivery days, lead time and case in units.
    """
    times = list(dict.fromkeys((week, lead) for week, lead, _ in kinds))
    horizon = max(lead for _, lead in times) + _WEEK
    weight = np.zeros((len(times), horizon))
    for row, (week, lead) in enumerate(times):
        for gap in _gaps(week):
            weight[row, lead : lead + gap] += 1 / _WEEK
    days = np.arange(1, horizon + 1)[:, None]
    dispersion = SAFETY_DISPERSION + _RATE_GRID / PAIR_DAY_GAMMA_SHAPE
    shape = _RATE_GRID * days / (dispersion - 1)
    probability = dispersion**-shape
    at_least = np.ones_like(shape)
    ratio = (dispersion - 1) / dispersion
    # Sums of the probabilities of the positions below each level, by delivery time and rate.
    summed = np.zeros((len(times), _MAX_LEVEL + 1, len(_RATE_GRID)))
    for units in range(_MAX_LEVEL):
        summed[:, units + 1] = summed[:, units] + weight @ at_least
        at_least = np.maximum(at_least - probability, 0.0)
        probability = probability * ratio * (shape + units) / (units + 1)
    rates, accepted = np.array(STOCK_OUT_TARGET).T
    target = np.interp(np.log(_RATE_GRID), np.log(rates), accepted)
    return np.stack(
        [_level(summed[times.index((week, lead))], case, target) for week, lead, case in kinds]
    )


def _level(summed: Floats, case: int, target: Floats) -> Floats:
    """The level of a kind for each rate, from summed probabilities by position and rate."""
    mean = (summed[case:] - summed[:-case]) / case
    below = (mean > target).sum(axis=0)  # first whole level that is good enough
    high = np.clip(below, 1, len(mean) - 1)
    column = np.arange(len(target))
    p_high, p_low = mean[high, column], mean[high - 1, column]
    level: Floats = high - np.clip((target - p_high) / np.maximum(p_low - p_high, 1e-12), 0, 1)
    return np.maximum(level, 1.0)


def opening_state(world: World, policy: Policy) -> StockState:
    """Stock on the eve of the first day: somewhere between an order and the next one."""
    pairs = world.pairs
    first = world.config.start.toordinal()
    rng = stream(world.config.seed, Part.OPENING_STOCK)
    rate = pairs.weight * world.stores.volume(np.array([first]))[0][pairs.store]
    rate = rate * policy.mean_quantity
    sold = rng.poisson(rate * policy.lead) * MILLI
    part_of_case = np.floor(rng.random(len(pairs)) * policy.case / MILLI).astype(np.int64) * MILLI
    level = _target(world, policy, rate) + part_of_case
    open_before = pairs.active(first) & (pairs.first < first)
    on_hand = np.where(open_before, np.maximum(level - sold, 0), 0)
    nothing = np.zeros((_HORIZON, len(pairs)), np.int64)
    return StockState(on_hand, nothing, nothing.copy(), np.zeros((3, 0), np.int64))


def _target(world: World, policy: Policy, rate: Floats, pairs: Ints | slice = slice(None)) -> Ints:
    """Reorder level for a demand rate in units a day, in whole thousandths of a unit."""
    position = np.log(np.maximum(rate, _RATE_GRID[0]) / _RATE_GRID[0]) / _LOG_STEP
    column = np.minimum(np.rint(position).astype(int), len(_RATE_GRID) - 1)
    exact = policy.level[policy.kind[pairs], column]
    pieces = np.floor(exact + policy.rounding[pairs]) * MILLI
    is_weight = world.products.by_weight[world.pairs.product[pairs]] == 1
    return np.where(is_weight, np.ceil(exact * MILLI), pieces).astype(np.int64)


@dataclass(frozen=True)
class SupplyPlan:
    """What planners know and what suppliers do on consecutive days.

    Attributes:
        days: Ordinals.
        product_factor: Cumulated season and price factors from the first day on; shape
            (days + horizon + 1, cells, products).
        volume: Planned lines a day of the stores; shape (days, stores).
        outage: Whether the region's supplier fails; shape (days, regions, products).
    """

    days: Ints
    product_factor: Floats
    volume: Floats
    outage: Bools


def plan_supply(world: World, days: Ints) -> SupplyPlan:
    """Prepare the plans of consecutive days: planners know the season, prices and campaigns."""
    longer = np.arange(days[0], days[-1] + 1 + _HORIZON)
    by_price = prices_between(world.products, world.config.seed, longer).factor
    factor = world.calendar.categories(longer)[:, None, world.products.category] * by_price
    cumulated = np.concatenate([np.zeros((1, *factor.shape[1:])), np.cumsum(factor, axis=0)])
    return SupplyPlan(days, cumulated, world.stores.volume(days), _outages(world, days))


def _outages(world: World, days: Ints) -> Bools:
    """When suppliers fail: spells drawn for every thirty days, shape (days, regions, products)."""
    shape = (len(REGIONS), len(world.products))
    numbers = range(
        (int(days[0]) - OUTAGE_DAYS[1]) // _DAYS_PER_OUTAGE_DRAW,
        int(days[-1]) // _DAYS_PER_OUTAGE_DRAW + 1,
    )
    out = np.zeros((len(days), *shape), bool)
    for number in numbers:
        rng = stream(world.config.seed, Part.OUTAGES, number)
        fails = rng.random(shape) < OUTAGE_PROBABILITY
        begin = number * _DAYS_PER_OUTAGE_DRAW + rng.integers(0, _DAYS_PER_OUTAGE_DRAW, shape)
        length = rng.integers(OUTAGE_DAYS[0], OUTAGE_DAYS[1] + 1, shape)
        day = days[:, None, None]
        out |= fails & (day >= begin) & (day < begin + length)
    return out


def advance(
    world: World, policy: Policy, plan: SupplyPlan, state: StockState, number: int, wanted: Ints
) -> StockDay:
    """Run one day and order for the next ones; changes ``state``.

    Args:
        world: The fixed part of the simulation.
        policy: Its reorder policy.
        plan: The plans of the days being run.
        state: Stock and orders on the evening before; on return, on the evening of the day.
        number: Position of the day in the plan.
        wanted: Units wanted of each pair, in thousandths.
    """
    pairs = world.pairs
    day = int(plan.days[number])
    slot = day % _HORIZON
    receipts = state.in_transit[slot].copy()
    state.in_transit[slot] = 0
    state.on_order[slot] = 0

    opening = state.on_hand
    available = opening + receipts
    sold = np.minimum(wanted, available)
    left = available - sold
    shrink = _draw_shrink(world, day, left)
    leaving = np.flatnonzero(pairs.last == day)
    shrink[leaving] = left[leaving]
    restocked = _restock(state, day, len(pairs))
    closing = left - shrink + restocked
    state.on_hand = closing
    orders = join_orders(
        [_order(world, policy, plan, state, number), _opening_orders(world, policy, day)]
    )
    # A pair has one order a day at most, so no line of an array overwrites another.
    state.in_transit[orders.arrival % _HORIZON, orders.pair] += orders.received
    state.on_order[orders.arrival % _HORIZON, orders.pair] += orders.ordered
    return StockDay(opening, receipts, restocked, sold, shrink, closing, orders)


def _restock(state: StockState, day: int, count: int) -> Ints:
    """Take the goods that go back to the shelf on a day out of the state."""
    is_due = state.restock[0] == day
    pair, quantity = state.restock[1:, is_due]
    state.restock = state.restock[:, ~is_due]
    return np.bincount(pair, quantity, count).astype(np.int64)


def _order(
    world: World, policy: Policy, plan: SupplyPlan, state: StockState, number: int
) -> Orders:
    """What the stores order in the evening of a day, and what will come of it."""
    pairs, suppliers = world.pairs, world.suppliers
    day = int(plan.days[number])
    weekday = (day - 1) % _WEEK
    rng = stream(world.config.seed, Part.ORDERS, day)
    by_supplier = rng.random((len(world.stores), len(suppliers)))
    is_late = (by_supplier < suppliers.late)[pairs.store, policy.supplier]
    is_missed = rng.random(len(pairs)) < ORDER_MISSED
    failing = plan.outage[number][world.stores.region[pairs.store], pairs.product]
    pair = np.flatnonzero(policy.can_order[weekday] & ~is_missed & ~failing & (pairs.first <= day))
    promised = day + policy.lead[pair]
    arrival = promised + np.where(is_late[pair], policy.wait[weekday, pair], 0)
    position = state.on_hand[pair] + state.on_order[:, pair].sum(axis=0)
    rate = _planned_rate(world, policy, plan, number, pair)
    lacking = _target(world, policy, rate, pair) - position
    needed = (lacking > 0) & (arrival < pairs.last[pair])
    pair, promised, arrival, lacking = (x[needed] for x in (pair, promised, arrival, lacking))
    case = policy.case[pair]
    cases = -(-lacking // case)
    is_part = rng.random(len(pair)) >= suppliers.complete[policy.supplier[pair]]
    come = np.where(is_part, np.floor(rng.random(len(pair)) * cases).astype(np.int64), cases)
    return Orders(
        day=np.full(len(pair), day, np.int32),
        pair=pair,
        promised=promised,
        arrival=arrival,
        ordered=cases * case,
        received=come * case,
    )


def _opening_orders(world: World, policy: Policy, day: int) -> Orders:
    """The first order of pairs that begin soon: it comes, complete, on their first day."""
    pairs = world.pairs
    first = day + OPENING_ORDER_DAYS
    pair = np.flatnonzero((pairs.first == first) & (pairs.first <= pairs.last))
    soon = np.array([first])
    rate = pairs.weight[pair] * world.stores.volume(soon)[0][pairs.store[pair]]
    rate *= policy.mean_quantity[pair] * world.calendar.categories(soon)[0][pairs.category[pair]]
    case = policy.case[pair]
    ordered = -(-_target(world, policy, rate, pair) // case) * case
    when = np.full(len(pair), first, np.int32)
    return Orders(np.full(len(pair), day, np.int32), pair, when, when, ordered, ordered)


def _planned_rate(
    world: World, policy: Policy, plan: SupplyPlan, number: int, pair: Ints
) -> Floats:
    """Units a day of some pairs that planners expect until the next order has arrived."""
    pairs = world.pairs
    begin = number + 1
    cell, product, cover = pairs.cell[pair], pairs.product[pair], policy.cover[pair]
    factor = plan.product_factor
    total = factor[begin + cover, cell, product] - factor[begin, cell, product]
    volume = plan.volume[number][pairs.store[pair]]
    rate: Floats = pairs.weight[pair] * volume * policy.mean_quantity[pair] * total / cover
    return rate


def _draw_shrink(world: World, day: int, left: Ints) -> Ints:
    """Losses of the day: Poisson, in proportion to the stock and its category's rate."""
    rng = stream(world.config.seed, Part.SUPPLY, day, 1)
    share = np.array([CATEGORY[name].shrink_per_day for name in CATEGORIES])[world.pairs.category]
    cumulated = np.cumsum(left * share) / MILLI
    losses = rng.poisson(cumulated[-1])
    pair = np.searchsorted(cumulated, rng.random(losses) * cumulated[-1] * (1 - 1e-9), side="right")
    lost = np.bincount(pair, minlength=len(left)) * MILLI
    return np.minimum(lost, left)
