"""The shelf, day by day: opening + receipts - sales - shrink = closing, and orders for tomorrow.

All quantities are whole thousandths of a unit, so every balance is exact. What cannot be sold
because the shelf is empty is lost. Returned goods do not go back to the shelf.
"""

from dataclasses import dataclass

import numpy as np

from retail_platform.simulator.arrays import Bools, Floats, Ints
from retail_platform.simulator.demand import MILLI, WEIGHT_STEP, Habits
from retail_platform.simulator.parameters import (
    CATEGORIES,
    CATEGORY,
    DELIVERY_DELAY,
    ELECTRONICS_POLICY,
    FORMAT,
    FORMATS,
    OUTAGE_DAYS,
    OUTAGE_PROBABILITY,
    PAIR_DAY_GAMMA_SHAPE,
    PERISHABLE,
    PERISHABLE_POLICY,
    REGIONS,
    SAFETY_DISPERSION,
    STOCK_OUT_TARGET,
)
from retail_platform.simulator.promotions import promotion_effects
from retail_platform.simulator.streams import Part, stream
from retail_platform.simulator.world import World

_DAYS_PER_OUTAGE_DRAW = 30
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
        in_transit: Receipts by arrival day modulo the horizon; shape (horizon, pairs).
    """

    on_hand: Ints
    in_transit: Ints


@dataclass(frozen=True)
class StockDay:
    """The balance of one day, one entry per pair, in thousandths of a unit."""

    opening: Ints
    receipts: Ints
    sold: Ints
    shrink: Ints
    closing: Ints


@dataclass(frozen=True)
class Policy:
    """Reorder policy of each pair.

    Attributes:
        review: Days between orders.
        lead: Days from order to receipt.
        kind: Row of ``level`` for the pair's review and lead time.
        level: Order-up-to level in units by kind and demand rate, shape (kinds, rates).
        rounding: What decides whether the pair rounds its level up or down, in [0, 1).
        mean_quantity: Mean units of a line of the pair.
    """

    review: Ints
    lead: Ints
    kind: Ints
    level: Floats
    rounding: Floats
    mean_quantity: Floats


def build_policy(world: World, habits: Habits) -> Policy:
    """Give every pair its review and lead time and compute the order-up-to levels."""
    pairs = world.pairs
    perishable = np.isin(pairs.category, [CATEGORIES.index(name) for name in PERISHABLE])
    electronic = pairs.category == CATEGORIES.index("Electrónica")
    usual = np.array([(FORMAT[name].review_days, FORMAT[name].lead_days) for name in FORMATS])
    times = usual[pairs.format]
    times[perishable] = PERISHABLE_POLICY
    times[electronic] = ELECTRONICS_POLICY
    kinds, kind = np.unique(times, axis=0, return_inverse=True)
    rng = stream(world.config.seed, Part.SUPPLY)
    return Policy(
        review=times[:, 0],
        lead=times[:, 1],
        kind=kind.ravel(),
        level=np.stack([_order_up_to_levels(int(review), int(lead)) for review, lead in kinds]),
        rounding=rng.random(len(pairs)),
        mean_quantity=habits.mean_quantity[pairs.format, pairs.product],
    )


def _order_up_to_levels(review: int, lead: int) -> Floats:
    """Level at which a shelf is empty with the accepted probability, for every rate of the grid.

    Demand over t days is negative binomial with mean ``rate * t``; its variance over its mean grows
    with the rate, since good and bad days scale it. After
    an order up to S has arrived, the shelf is empty with probability ``P(D(t) >= S)`` for the days
    t = lead + 1 ... lead + review; the level makes their mean equal to the target and is a real
    number: pairs round it up or down at random, so that the mean holds for slow goods as well.
    """
    days = np.arange(lead + 1, lead + review + 1)[:, None]
    dispersion = SAFETY_DISPERSION + _RATE_GRID / PAIR_DAY_GAMMA_SHAPE
    shape = _RATE_GRID * days / (dispersion - 1)
    probability = dispersion**-shape
    at_least = np.ones_like(shape)
    ratio = (dispersion - 1) / dispersion
    p_empty = np.empty((_MAX_LEVEL, len(_RATE_GRID)))
    for units in range(_MAX_LEVEL):
        p_empty[units] = at_least.mean(axis=0)
        at_least = np.maximum(at_least - probability, 0.0)
        probability = probability * ratio * (shape + units) / (units + 1)
    rates, accepted = np.array(STOCK_OUT_TARGET).T
    target = np.interp(np.log(_RATE_GRID), np.log(rates), accepted)
    below = (p_empty > target).sum(axis=0)  # first whole level that is good enough
    high = np.clip(below, 1, _MAX_LEVEL - 1)
    column = np.arange(len(_RATE_GRID))
    p_high, p_low = p_empty[high, column], p_empty[high - 1, column]
    level: Floats = high - (target - p_high) / np.maximum(p_low - p_high, 1e-12)
    return np.maximum(level, 1.0)


def opening_state(world: World, policy: Policy) -> StockState:
    """Stock on the eve of the first day: full shelves less what part of a review period sold."""
    pairs = world.pairs
    first = world.config.start.toordinal()
    rng = stream(world.config.seed, Part.OPENING_STOCK)
    rate = pairs.weight * world.stores.volume(np.array([first]))[0][pairs.store]
    rate = rate * policy.mean_quantity
    sold = rng.poisson(rate * policy.review * rng.random(len(pairs))) * MILLI
    level = _target(world, policy, rate)
    open_before = pairs.active(first) & (pairs.first < first)
    on_hand = np.where(open_before, np.maximum(level - sold, 0), 0)
    return StockState(on_hand, np.zeros((_HORIZON, len(pairs)), np.int64))


def _target(world: World, policy: Policy, rate: Floats) -> Ints:
    """Order-up-to level for a demand rate in units a day, in whole thousandths of a unit."""
    position = np.log(np.maximum(rate, _RATE_GRID[0]) / _RATE_GRID[0]) / _LOG_STEP
    column = np.minimum(np.rint(position).astype(int), len(_RATE_GRID) - 1)
    exact = policy.level[policy.kind, column]
    pieces = np.floor(exact + policy.rounding) * MILLI
    by_weight = np.ceil(exact * MILLI / WEIGHT_STEP) * WEIGHT_STEP
    is_weight = world.products.by_weight[world.pairs.product] == 1
    return np.where(is_weight, by_weight, pieces).astype(np.int64)


@dataclass(frozen=True)
class SupplyPlan:
    """What planners know and what suppliers do on consecutive days.

    Attributes:
        days: Ordinals.
        product_factor: Cumulated season and promotion factors from the first day on; shape
            (days + horizon + 1, formats, products).
        volume: Planned lines a day of the stores; shape (days, stores).
        outage: Whether the region's supplier fails; shape (days, regions, products).
        delay: Days of delay of what the store orders; shape (days, stores).
    """

    days: Ints
    product_factor: Floats
    volume: Floats
    outage: Bools
    delay: Ints


def plan_supply(world: World, days: Ints) -> SupplyPlan:
    """Prepare the plans of consecutive days: planners know the season and the campaigns."""
    seed = world.config.seed
    longer = np.arange(days[0], days[-1] + 1 + _HORIZON)
    _, lift = promotion_effects(world.products, seed, longer)
    factor = world.calendar.categories(longer)[:, None, world.products.category] * lift
    cumulated = np.concatenate([np.zeros((1, *factor.shape[1:])), np.cumsum(factor, axis=0)])
    delay = np.array(
        [
            stream(seed, Part.SUPPLY, int(day)).choice(
                len(DELIVERY_DELAY), len(world.stores), p=DELIVERY_DELAY
            )
            for day in days
        ]
    )
    return SupplyPlan(days, cumulated, world.stores.volume(days), _outages(world, days), delay)


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

    new = np.flatnonzero(pairs.first == day)
    rate = _planned_rate(world, policy, plan, number)
    target = _target(world, policy, rate)
    receipts[new] = target[new]
    opening = state.on_hand
    available = opening + receipts
    sold = np.minimum(wanted, available)
    left = available - sold
    shrink = _draw_shrink(world, day, left)
    leaving = np.flatnonzero(pairs.last == day)
    shrink[leaving] = left[leaving]
    closing = left - shrink

    review = (day + pairs.store) % policy.review == 0
    arrival = day + policy.lead + plan.delay[number][pairs.store]
    can_order = review & (pairs.first <= day) & (arrival < pairs.last)
    can_order &= ~plan.outage[number][world.stores.region[pairs.store], pairs.product]
    position = closing + state.in_transit.sum(axis=0)
    order = np.flatnonzero(can_order & (position < target))
    state.in_transit[arrival[order] % _HORIZON, order] += (target - position)[order]
    state.on_hand = closing
    return StockDay(opening, receipts, sold, shrink, closing)


def _planned_rate(world: World, policy: Policy, plan: SupplyPlan, number: int) -> Floats:
    """Units a day that planners expect until the next order has arrived."""
    pairs = world.pairs
    begin = number + 1
    end = begin + policy.review + policy.lead
    total = (
        plan.product_factor[end, pairs.format, pairs.product]
        - plan.product_factor[begin, pairs.format, pairs.product]
    )
    volume = plan.volume[number][pairs.store]
    rate: Floats = (
        pairs.weight * volume * policy.mean_quantity * total / (policy.review + policy.lead)
    )
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
