"""Stock snapshots: monthly rows for the history, daily ones for the last days, without gap."""

from dataclasses import dataclass, fields
from datetime import date, timedelta

import numpy as np
import polars as pl

from retail_platform.simulator.arrays import MILLI, Bools, Ints
from retail_platform.simulator.prices import unit_costs
from retail_platform.simulator.stock import StockDay
from retail_platform.simulator.tickets import dates, decimals
from retail_platform.simulator.world import World


@dataclass(frozen=True)
class StockRows:
    """Rows of ``raw_inventario`` in integers; quantities in thousandths of a unit.

    Attributes:
        day: Ordinal on which the period ends.
        pair: Number of the pair.
        length: Days of the period.
        opening: Stock on the morning of the first day.
        receipts: Received in the period, of suppliers.
        restocked: Returned goods that went back to the shelf.
        sold: Units of the sale lines of the period.
        shrink: Lost, expired or written off at the end of the product's life in the store.
        closing: Stock on the evening of ``day``.
    """

    day: Ints
    pair: Ints
    length: Ints
    opening: Ints
    receipts: Ints
    restocked: Ints
    sold: Ints
    shrink: Ints
    closing: Ints


class StockLog:
    """Adds days to periods and closes a period at a month's end, each day, or a pair's last day."""

    def __init__(self, world: World) -> None:
        """Begin with no open period."""
        self._world = world
        count = len(world.pairs)
        self._length = np.zeros(count, np.int64)
        self._sums = np.zeros((4, count), np.int64)
        self._opening = np.zeros(count, np.int64)
        self._rows: list[tuple[Ints, ...]] = []

    def add(self, day: int, balance: StockDay) -> None:
        """Add the balance of the next day."""
        active = self._world.pairs.active(day)
        fresh = self._length == 0
        self._opening = np.where(fresh, balance.opening, self._opening)
        self._length += active
        self._sums += np.stack([balance.receipts, balance.restocked, balance.sold, balance.shrink])
        ends = active if self._period_ends(day) else active & (self._world.pairs.last == day)
        self._close(day, ends, balance.closing)

    def take_rows(self) -> StockRows:
        """Return the rows closed since the last call."""
        rows, self._rows = self._rows, []
        if not rows:
            return StockRows(*(np.zeros(0, np.int64) for _ in fields(StockRows)))
        return StockRows(*(np.concatenate(column) for column in zip(*rows, strict=True)))

    def _period_ends(self, day: int) -> bool:
        tomorrow = date.fromordinal(day) + timedelta(days=1)
        return tomorrow.day == 1 or tomorrow >= self._world.config.daily_stock_from

    def _close(self, day: int, ends: Bools, closing: Ints) -> None:
        pair = np.flatnonzero(ends)
        if not len(pair):
            return
        self._rows.append(
            (
                np.full(len(pair), day, np.int32),
                pair.astype(np.int32),
                self._length[pair].astype(np.int16),
                self._opening[pair].astype(np.int32),
                *self._sums[:, pair].astype(np.int32),
                closing[pair].astype(np.int32),
            )
        )
        self._length[pair] = 0
        self._sums[:, pair] = 0


def stock_frame(world: World, rows: StockRows) -> pl.DataFrame:
    """The rows as they are delivered (table ``raw_inventario``)."""
    store = world.stores.store_id[world.pairs.store[rows.pair]]
    product = world.pairs.product[rows.pair]
    first = int(rows.day.min(initial=date.max.toordinal()))
    days = np.arange(first, int(rows.day.max(initial=first)) + 1)
    cost = unit_costs(world.products, world.config.seed, days)[rows.day - first, product]
    return pl.DataFrame(
        {
            "fecha": dates(rows.day),
            "tienda_id": pl.Series(store.astype(np.int32)),
            "producto_id": pl.Series(world.products.product_id[product].astype(np.int32)),
            "dias_periodo": pl.Series(rows.length),
            "stock_inicial": decimals(rows.opening / MILLI, 12, 3),
            "entradas": decimals((rows.receipts + rows.restocked) / MILLI, 12, 3),
            "reingresos": decimals(rows.restocked / MILLI, 12, 3),
            "salidas": decimals(rows.sold / MILLI, 12, 3),
            "merma": decimals(rows.shrink / MILLI, 12, 3),
            "stock_final": decimals(rows.closing / MILLI, 12, 3),
            "costo_unitario": decimals(cost / 100, 10, 2),
        }
    )
