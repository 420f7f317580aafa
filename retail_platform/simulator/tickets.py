"""What was sold: the wanted lines that the shelf could serve, priced, with their ticket numbers."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from retail_platform.simulator.arrays import MILLI, Bools, Floats, Ints
from retail_platform.simulator.demand import Demand
from retail_platform.simulator.parameters import CHANNELS
from retail_platform.simulator.prices import unit_costs
from retail_platform.simulator.world import World

EPOCH = date(1970, 1, 1).toordinal()
_STORE_FACTOR = 100_000
_DAY_FACTOR = 1000 * _STORE_FACTOR
SALES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "ticket_id": pl.Int64,
    "linea": pl.Int16,
    "fecha_venta": pl.Date,
    "hora": pl.Time,
    "tienda_id": pl.Int32,
    "producto_id": pl.Int32,
    "canal": pl.String,
    "unidades": pl.Decimal(10, 3),
    "precio_unitario": pl.Decimal(10, 2),
    "descuento_pct": pl.Decimal(5, 2),
    "costo_unitario": pl.Decimal(10, 2),
}


@dataclass(frozen=True)
class Shortage:
    """Pairs that could not serve all that was wanted on a day.

    Attributes:
        day: Position of the day.
        pair: Number of the pair.
        available: Thousandths of a unit that could be sold.
    """

    day: Ints
    pair: Ints
    available: Ints


@dataclass(frozen=True)
class Sales:
    """Lines sold, in integers; every array has one entry per line, sorted by day, store and time.

    Attributes:
        wanted: Position of the line in the demand, ascending.
        ticket_id: Date, store and number of the ticket in the store's day, in one number.
        line: Number of the line in the ticket, from 1.
        day: Ordinal.
        second: Second of the day.
        store: Index of the store.
        product: Index of the product.
        channel: Index of the channel.
        quantity: Thousandths of a unit.
        price: List price in cents with VAT.
        discount: Per cent.
        cost: Unit cost in cents without VAT.
    """

    wanted: Ints
    ticket_id: Ints
    line: Ints
    day: Ints
    second: Ints
    store: Ints
    product: Ints
    channel: Ints
    quantity: Ints
    price: Ints
    discount: Ints
    cost: Ints

    @property
    def total(self) -> Ints:
        """Amount of each line in cents: rounded half up from exact integers, like the database."""
        return line_total(self.quantity, self.price, self.discount)


def line_total(quantity: Ints, price: Ints, discount: Ints) -> Ints:
    """``round(units * price * (1 - discount / 100), 2)``, half up, in cents.

    Args:
        quantity: Thousandths of a unit, not negative.
        price: Cents.
        discount: Per cent.
    """
    exact = quantity.astype(np.int64) * price * (100 - discount)
    cents: Ints = (exact + 50 * MILLI) // (100 * MILLI)
    return cents


def sell(world: World, demand: Demand, shortage: Shortage) -> Sales:
    """Serve the wanted lines in the order of their tickets until the shelf is empty."""
    line_day = np.repeat(np.arange(len(demand.days)), demand.lines_per_day)
    ticket_day = np.repeat(np.arange(len(demand.days)), demand.tickets_per_day)
    ticket = np.repeat(np.arange(len(demand.ticket_store)), demand.ticket_lines)
    quantity = _serve(demand, line_day, shortage, len(world.pairs))
    sold = quantity > 0
    ticket, quantity = ticket[sold], quantity[sold]
    day = line_day[sold]
    product = world.pairs.product[demand.line_pair[sold]]

    is_first = _starts(ticket)
    first_line = np.flatnonzero(is_first)
    line = (
        np.arange(len(ticket))
        - np.repeat(first_line, np.diff(np.append(first_line, len(ticket))))
        + 1
    )
    ordinal = demand.days[day]
    ticket_id = _ticket_ids(world, demand, ticket_day, ticket[first_line])
    store = demand.ticket_store[ticket]
    format_ = world.stores.format[store]
    prices = demand.prices
    return Sales(
        wanted=np.flatnonzero(sold),
        ticket_id=np.repeat(ticket_id, np.diff(np.append(first_line, len(ticket)))),
        line=line,
        day=ordinal,
        second=demand.ticket_second[ticket],
        store=store,
        product=product,
        channel=demand.ticket_channel[ticket],
        quantity=quantity,
        price=prices.listed[day, world.stores.zone[store], format_, product],
        discount=prices.discount[day, format_, product],
        cost=unit_costs(world.products, world.config.seed, demand.days)[day, product],
    )


def _starts(values: Ints) -> Bools:
    """Whether each entry differs from the one before it."""
    return np.concatenate([np.ones(min(len(values), 1), bool), values[1:] != values[:-1]])


def _serve(demand: Demand, line_day: Ints, shortage: Shortage, pair_count: int) -> Ints:
    """Quantity served of each line: first come, first served; the last one takes what is left."""
    quantity = demand.line_quantity.copy()
    if not len(shortage.pair):
        return quantity
    limited = np.full((len(demand.days), pair_count), -1, np.int32)
    limited[shortage.day, shortage.pair] = shortage.available
    available = limited[line_day, demand.line_pair]
    line = np.flatnonzero(available >= 0)
    key = line_day[line].astype(np.int64) * pair_count + demand.line_pair[line]
    line = line[np.argsort(key, kind="stable")]
    key = np.sort(key, kind="stable")
    wanted = demand.line_quantity[line]
    before = np.cumsum(wanted) - wanted
    begin = np.flatnonzero(_starts(key))
    before -= np.repeat(before[begin], np.diff(np.append(begin, len(key))))
    quantity[line] = np.clip(available[line] - before, 0, wanted)
    return quantity


def _ticket_ids(world: World, demand: Demand, ticket_day: Ints, tickets: Ints) -> Ints:
    """Numbers of the tickets that sold something: yyyymmdd, store (3 digits), number (5 digits)."""
    day = ticket_day[tickets]
    store = demand.ticket_store[tickets]
    begin = np.flatnonzero(_starts(day * 1000 + store))
    number = np.arange(len(tickets)) - np.repeat(begin, np.diff(np.append(begin, len(tickets)))) + 1
    dates = [date.fromordinal(int(value)) for value in demand.days]
    stamp = np.array([d.year * 10_000 + d.month * 100 + d.day for d in dates])
    ids: Ints = stamp[day] * _DAY_FACTOR + world.stores.store_id[store] * _STORE_FACTOR + number
    return ids


def sales_frame(world: World, sales: Sales) -> pl.DataFrame:
    """The lines as they are delivered (table ``raw_ventas``)."""
    units = decimals(np.arange(0, int(sales.quantity.max(initial=0)) + 1) / MILLI, 10, 3)
    return pl.DataFrame(
        {
            "ticket_id": pl.Series(sales.ticket_id, dtype=pl.Int64),
            "linea": pl.Series(sales.line.astype(np.int16)),
            "fecha_venta": dates(sales.day),
            "hora": pl.Series(sales.second.astype(np.int64) * 10**9).cast(pl.Time),
            "tienda_id": pl.Series(world.stores.store_id[sales.store].astype(np.int32)),
            "producto_id": pl.Series(world.products.product_id[sales.product].astype(np.int32)),
            "canal": pl.Series(CHANNELS, dtype=pl.String).gather(sales.channel),
            "unidades": units.gather(sales.quantity),
            "precio_unitario": decimals(sales.price / 100, 10, 2),
            "descuento_pct": decimals(np.arange(101), 5, 2).gather(sales.discount),
            "costo_unitario": decimals(sales.cost / 100, 10, 2),
        },
        schema=SALES_SCHEMA,
    )


def decimals(values: Floats | Ints, precision: int, scale: int) -> pl.Series:
    """Exact decimals from numbers that are the nearest doubles to them."""
    return pl.Series(values).cast(pl.Decimal(precision, scale))


def dates(ordinals: Ints) -> pl.Series:
    """Dates from proleptic ordinals."""
    return pl.Series((ordinals - EPOCH).astype(np.int32)).cast(pl.Date)
