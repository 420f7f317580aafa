"""What the caller chooses about a world, and the errors of choosing badly."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from retail_platform.errors import UserError
from retail_platform.settings import (
    EARLIEST_START,
    LATEST_END,
    SettingError,
    check_end_date,
    check_scale,
    check_seed,
)
from retail_platform.simulator.parameters import STORES_FULL_SCALE

MIN_STORES = 12
DAILY_STOCK_DAYS = 60

T = TypeVar("T")


class SimulatorError(UserError):
    """A wrong choice of the user, with a message that says what is allowed."""


def _check(name: str, check: Callable[[T], T], value: T) -> None:
    """Refuse a value as this package does."""
    try:
        check(value)
    except SettingError as error:
        raise SimulatorError(f"{name}: {error}") from None


@dataclass(frozen=True)
class WorldConfig:
    """The identity of a world: everything that does not change when days are appended.

    Attributes:
        seed: Seed of all random streams.
        scale: 1 is the full volume; smaller values have fewer stores and fewer tickets.
        start: First day with sales.
        daily_stock_from: First day of daily stock snapshots; earlier ones are monthly.
    """

    seed: int
    scale: float
    start: date
    daily_stock_from: date

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            SimulatorError: A value is outside what is allowed.
        """
        _check("scale", check_scale, self.scale)
        _check("seed", check_seed, self.seed)
        if not EARLIEST_START <= self.start <= LATEST_END:
            raise SimulatorError(
                f"the first day is {self.start}; allowed: {EARLIEST_START} to "
                f"{LATEST_END} (choose another --end-date or fewer --years)"
            )

    @property
    def store_count(self) -> int:
        """Number of stores: in proportion to the scale, at least those of the smallest chain."""
        wanted = round(STORES_FULL_SCALE * self.scale)
        return max(MIN_STORES, min(STORES_FULL_SCALE, wanted))

    @property
    def store_volume(self) -> float:
        """Volume of a store relative to the full chain's, at most 1."""
        return min(1.0, STORES_FULL_SCALE * self.scale / self.store_count)


def config_for(
    *, seed: int, scale: float, end: date, years: int, daily_stock_from: date | None = None
) -> WorldConfig:
    """Build the configuration of a world that ends on a given day.

    Args:
        seed: Seed of all random streams.
        scale: Volume, 1 = full.
        end: Last day of the first delivery.
        years: Years of history up to ``end``.
        daily_stock_from: First day of daily stock rows, default 60 days up to ``end``.

    Raises:
        SimulatorError: A value is outside what is allowed.
    """
    if years < 1:
        raise SimulatorError(f"years is {years}; allowed: an integer of 1 or more")
    _check("end date", check_end_date, end)
    start = date(max(end.year - years, 1), end.month, min(end.day, 28)) + timedelta(
        days=max(end.day - 28, 0)
    )
    start += timedelta(days=1)
    default_daily = max(start, end - timedelta(days=DAILY_STOCK_DAYS - 1))
    return WorldConfig(seed, scale, start, daily_stock_from or default_daily)
