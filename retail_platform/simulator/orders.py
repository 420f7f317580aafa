"""Orders to suppliers: their lines, those that are still open, and how they are delivered."""

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import polars as pl

from retail_platform.simulator.arrays import MILLI, Bools, Ints
from retail_platform.simulator.tickets import EPOCH, dates, decimals
from retail_platform.simulator.world import World

_STORE_FACTOR = 100
_DAY_FACTOR = 1000 * _STORE_FACTOR


@dataclass(frozen=True)
class Orders:
    """Order lines in integers; every array has one entry per line.

    Attributes:
        day: Ordinal of the order.
        pair: Number of the pair.
        promised: Ordinal of the delivery that was promised.
        arrival: Ordinal of the delivery; known to the simulation before it comes.
        ordered: Thousandths of a unit, whole cases.
        received: Thousandths of a unit that come, whole cases; 0 if the delivery lacks the line.
    """

    day: Ints
    pair: Ints
    promised: Ints
    arrival: Ints
    ordered: Ints
    received: Ints

    def __len__(self) -> int:
        """Number of lines."""
        return len(self.day)

    def select(self, keep: Bools | Ints) -> "Orders":
        """The lines at the given positions."""
        return Orders(*(getattr(self, field.name)[keep] for field in fields(self)))


def no_orders() -> Orders:
    """An empty set of lines."""
    return Orders(*(np.zeros(0, np.int32) for _ in fields(Orders)))


def join_orders(parts: list[Orders]) -> Orders:
    """Put lines together, one part behind the other."""
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Orders))
    return Orders(*(np.concatenate([no_orders().day, *column]) for column in columns))


def orders_frame(world: World, orders: Orders, end: date) -> pl.DataFrame:
    """The lines as they are delivered (table ``raw_pedidos``), with what is known on a day.

    Args:
        world: The fixed part of the simulation.
        orders: The lines.
        end: The day; later deliveries are still to come.
    """
    store = world.stores.store_id[world.pairs.store[orders.pair]]
    product = world.pairs.product[orders.pair]
    supplier = world.products.supplier[product]
    days, position = np.unique(orders.day, return_inverse=True)
    stamps = [date.fromordinal(int(day)) for day in days]
    stamp = np.array([d.year * 10_000 + d.month * 100 + d.day for d in stamps], np.int64)
    number = stamp[position] * _DAY_FACTOR + store * _STORE_FACTOR + supplier + 1
    has_come = orders.arrival <= end.toordinal()
    arrival = pl.Series(np.where(has_come, orders.arrival, EPOCH) - EPOCH, dtype=pl.Int32)
    frame = pl.DataFrame(
        {
            "pedido_id": pl.Series(number, dtype=pl.Int64),
            "tienda_id": pl.Series(store.astype(np.int32)),
            "producto_id": pl.Series(world.products.product_id[product].astype(np.int32)),
            "proveedor": pl.Series(world.suppliers.name.tolist(), dtype=pl.String).gather(supplier),
            "fecha_pedido": dates(orders.day),
            "fecha_promesa": dates(orders.promised),
            "fecha_entrega": arrival.set(pl.Series(~has_come), None).cast(pl.Date),
            "unidades_pedidas": decimals(orders.ordered / MILLI, 12, 3),
            "unidades_recibidas": decimals(np.where(has_come, orders.received, 0) / MILLI, 12, 3),
        }
    )
    return sorted_orders(frame)


def sorted_orders(frame: pl.DataFrame) -> pl.DataFrame:
    """Lines in the order of their file."""
    return frame.sort("pedido_id", "producto_id")
