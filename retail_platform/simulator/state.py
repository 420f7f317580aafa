"""What carries over from month to month, and the file that carries it from one run to the next."""

from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from retail_platform.simulator.config import SimulatorError
from retail_platform.simulator.manifest import Counters, Totals
from retail_platform.simulator.orders import Orders, no_orders
from retail_platform.simulator.returns import Returns, no_returns
from retail_platform.simulator.stock import StockState


@dataclass
class RunState:
    """Everything that carries over from month to month, and from one run to the next.

    Attributes:
        next_day: First day that is not simulated yet.
        stock: Shelves and orders in transit.
        pending: Returns of sales made so far that come back on ``next_day`` or later.
        open_orders: Orders made so far that arrive on ``next_day`` or later.
        totals: Sums of the rows delivered.
        counters: Sums that only the simulation knows.
    """

    next_day: date
    stock: StockState
    pending: Returns = field(default_factory=no_returns)
    open_orders: Orders = field(default_factory=no_orders)
    totals: Totals = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)


def save_state(path: Path, state: RunState, end: date) -> None:
    """Write what `load_state` reads.

    Args:
        path: The file.
        state: After the last day.
        end: The last day.
    """
    pending = {f"return_{f.name}": getattr(state.pending, f.name) for f in fields(Returns)}
    np.savez_compressed(
        path,
        allow_pickle=False,
        end=np.array(end.toordinal()),
        on_hand=state.stock.on_hand,
        in_transit=state.stock.in_transit,
        on_order=state.stock.on_order,
        restock=state.stock.restock,
        **pending,
        **{f"order_{f.name}": getattr(state.open_orders, f.name) for f in fields(Orders)},
    )


def load_state(path: Path, last: date) -> tuple[StockState, Returns, Orders]:
    """Read the shelves, and the returns and deliveries that are still to come.

    Args:
        path: The file.
        last: Last day of the world that it has to belong to.

    Raises:
        SimulatorError: It cannot be read or belongs to another day.
    """
    again = "so the world cannot be continued; generate it again without --append"
    try:
        with np.load(path) as saved:
            end = int(saved["end"])
            stock = StockState(
                *(saved[name] for name in ("on_hand", "in_transit", "on_order", "restock"))
            )
            pending = Returns(*(saved[f"return_{f.name}"] for f in fields(Returns)))
            orders = Orders(*(saved[f"order_{f.name}"] for f in fields(Orders)))
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise SimulatorError(f"{path} cannot be read, {again} ({error})") from error
    if end != last.toordinal():
        raise SimulatorError(
            f"{path} is of {date.fromordinal(end)} and the manifest of {last}, {again}"
        )
    return stock, pending, orders
