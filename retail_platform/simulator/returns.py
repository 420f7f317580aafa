"""Goods that come back: few to stores, more from online orders, within thirty days of the sale."""

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from retail_platform.simulator.arrays import MILLI, Bools, Ints
from retail_platform.simulator.comebacks import Comebacks
from retail_platform.simulator.parameters import CHANNELS, RETURN_REASONS
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
        restocked: Whether the goods went back to the shelf.
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
    restocked: Ints

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


def build_returns(sales: Sales, comebacks: Comebacks) -> Returns:
    """The returns of lines that were sold.

    Args:
        sales: The lines sold of a demand.
        comebacks: What comes back of its lines, all of them sold.
    """
    line = np.searchsorted(sales.wanted, comebacks.line)
    return join(
        [
            Returns(
                return_id=sales.ticket_id[line] * _ID_FACTOR + sales.line[line],
                ticket_id=sales.ticket_id[line],
                line=sales.line[line],
                sale_day=sales.day[line],
                day=comebacks.day,
                store=sales.store[line],
                product=sales.product[line],
                channel=sales.channel[line],
                quantity=comebacks.quantity,
                amount=line_total(comebacks.quantity, sales.price[line], sales.discount[line]),
                reason=comebacks.reason,
                restocked=comebacks.restocked.astype(np.int8),
            )
        ]
    )


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
            "reingresa": pl.Series(returns.restocked.astype(bool)),
        }
    )
