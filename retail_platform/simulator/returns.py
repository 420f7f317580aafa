"""Goods that come back: few to stores, more from online orders, within thirty days of the sale."""

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from retail_platform.simulator.arrays import Bools, Ints
from retail_platform.simulator.demand import MILLI
from retail_platform.simulator.parameters import (
    CATEGORIES,
    CATEGORY,
    CHANNEL_RETURN_FACTOR,
    CHANNELS,
    PERISHABLE,
    RETURN_DAYS,
    RETURN_PARTIAL,
    RETURN_REASON_WEIGHTS,
    RETURN_REASONS,
)
from retail_platform.simulator.streams import Part, stream
from retail_platform.simulator.tickets import Sales, dates, decimals, line_total
from retail_platform.simulator.world import World

_ID_FACTOR = 100


@dataclass(frozen=True)
class Returns:
    """Returned lines in integers; every array has one entry per return.

    Attributes:
        return_id: Ticket and line of the sale in one number; a line comes back once at most.
        ticket_id: Ticket of the sale.
        line: Line of the sale.
        sale_day: Ordinal of the sale.
        day: Ordinal of the return.
        store: Index of the store.
        product: Index of the product.
        channel: Index of the channel.
        quantity: Thousandths of a unit.
        amount: Cents given back.
        reason: Index in ``RETURN_REASONS``.
    """

    return_id: Ints
    ticket_id: Ints
    line: Ints
    sale_day: Ints
    day: Ints
    store: Ints
    product: Ints
    channel: Ints
    quantity: Ints
    amount: Ints
    reason: Ints

    def __len__(self) -> int:
        """Number of returns."""
        return len(self.return_id)

    def select(self, keep: Bools | Ints) -> "Returns":
        """The returns at the given positions."""
        return Returns(*(getattr(self, field.name)[keep] for field in fields(self)))


def no_returns() -> Returns:
    """An empty set of returns."""
    return Returns(*(np.zeros(0, np.int64) for _ in fields(Returns)))


def join(parts: list[Returns]) -> Returns:
    """Put returns together in the order of their day and number."""
    columns = [
        np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Returns)
    ]
    joined = Returns(*columns)
    return joined.select(np.lexsort((joined.return_id, joined.day)))


def draw_returns(world: World, sales: Sales) -> Returns:
    """Draw what comes back of the lines sold; the days of sale decide, whatever the block."""
    days, begin = np.unique(sales.day, return_index=True)
    end = np.append(begin[1:], len(sales.day))
    return join(
        [no_returns()]
        + [
            _draw_day(world, sales, int(day), np.arange(first, last))
            for day, first, last in zip(days, begin, end, strict=True)
        ]
    )


def _draw_day(world: World, sales: Sales, day: int, lines: Ints) -> Returns:
    """Draw the returns of the lines sold on one day."""
    rng = stream(world.config.seed, Part.RETURNS, day)
    rate = np.array([CATEGORY[name].return_rate for name in CATEGORIES])
    chance = rate[world.products.category[sales.product[lines]]]
    chance = chance * np.array(CHANNEL_RETURN_FACTOR)[sales.channel[lines]]
    line = lines[rng.random(len(lines)) < chance]
    count = len(line)
    # A beta with mean 1/4 spreads the days: most come in the first week, none after thirty days.
    return_day = day + 1 + np.floor(RETURN_DAYS * rng.beta(1, 3, count)).astype(np.int64)
    sold = sales.quantity[line]
    pieces = sold // MILLI
    can_split = (world.products.by_weight[sales.product[line]] == 0) & (pieces > 1)
    is_part = can_split & (rng.random(count) < RETURN_PARTIAL)
    some = (1 + np.floor(rng.random(count) * (pieces - 1))).astype(np.int64) * MILLI
    quantity = np.where(is_part, some, sold)
    perishable = np.isin(
        world.products.category[sales.product[line]],
        [CATEGORIES.index(name) for name in PERISHABLE],
    )
    kind = np.where(perishable, 2, np.where(sales.channel[line] > 0, 1, 0))
    cumulated = np.cumsum(RETURN_REASON_WEIGHTS, axis=1)
    reason = (cumulated[kind] <= rng.random(count)[:, None]).sum(axis=1)
    result = Returns(
        return_id=sales.ticket_id[line] * _ID_FACTOR + sales.line[line],
        ticket_id=sales.ticket_id[line],
        line=sales.line[line],
        sale_day=sales.day[line],
        day=return_day,
        store=sales.store[line],
        product=sales.product[line],
        channel=sales.channel[line],
        quantity=quantity,
        amount=line_total(quantity, sales.price[line], sales.discount[line]),
        reason=np.minimum(reason, len(RETURN_REASONS) - 1),
    )
    return result.select(result.day <= world.stores.closing[result.store])


def returns_frame(world: World, returns: Returns) -> pl.DataFrame:
    """The returns as they are delivered (table ``raw_devoluciones``)."""
    return pl.DataFrame(
        {
            "devolucion_id": pl.Series(returns.return_id, dtype=pl.Int64),
            "ticket_id": pl.Series(returns.ticket_id, dtype=pl.Int64),
            "linea": pl.Series(returns.line.astype(np.int16)),
            "fecha_venta": dates(returns.sale_day),
            "fecha_devolucion": dates(returns.day),
            "tienda_id": pl.Series(world.stores.store_id[returns.store].astype(np.int32)),
            "producto_id": pl.Series(world.products.product_id[returns.product].astype(np.int32)),
            "canal": pl.Series(CHANNELS, dtype=pl.String).gather(returns.channel),
            "unidades": decimals(returns.quantity / MILLI, 10, 3),
            "importe": decimals(returns.amount / 100, 12, 2),
            "motivo": pl.Series(RETURN_REASONS, dtype=pl.String).gather(returns.reason),
        }
    )
