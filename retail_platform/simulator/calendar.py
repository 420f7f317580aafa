"""Days and what they do to demand: season, events, paydays and weekdays."""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from retail_platform.simulator.arrays import Floats, Ints
from retail_platform.simulator.parameters import (
    CATEGORIES,
    CATEGORY,
    DAY_KINDS,
    EARLY_DAYS,
    EVENTS,
    HOLIDAYS,
    PAYDAY,
    PAYDAY_BY_REGION,
    REFERENCE,
    EventWindow,
)

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Calendar:
    """Demand factors of every day for which the holidays are known.

    Attributes:
        first: Ordinal of the first day.
        category_factor: Season, events and paydays; shape (days, categories).
        payday: Extra demand of paydays in it; shape (days,).
        kind: Index in ``DAY_KINDS`` of each day.
    """

    first: int
    category_factor: Floats
    payday: Floats
    kind: Ints

    def categories(self, days: Ints) -> Floats:
        """Factor of each category on the given ordinals, shape (len(days), categories)."""
        return self.category_factor[self._rows(days)]

    def paydays(self, days: Ints) -> Floats:
        """Factor of paydays on the given ordinals relative to the country's, by region."""
        extra = self.payday[self._rows(days)][:, None]
        factor: Floats = (1 + extra * np.array(PAYDAY_BY_REGION)) / (1 + extra)
        return factor

    def kinds(self, days: Ints) -> Ints:
        """Index in ``DAY_KINDS`` of the given ordinals."""
        return self.kind[self._rows(days)]

    def _rows(self, days: Ints) -> Ints:
        return np.clip(days - self.first, 0, len(self.category_factor) - 1)


def read_holidays(path: Path = REFERENCE / "festivos.csv") -> dict[date, str]:
    """Read the holidays that the database uses as well."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            date.fromisoformat(row["fecha"]): row["nombre_festivo"] for row in csv.DictReader(file)
        }


def build_calendar(holidays: dict[date, str]) -> Calendar:
    """Compute the demand factors of all days between the first and the last year with holidays."""
    first = date(min(holidays).year, 1, 1).toordinal()
    last = date(max(holidays).year, 12, 31).toordinal()
    days = np.arange(first, last + 1)
    payday = _payday_factor(days)
    factor = np.exp(_log_season(days)) * payday[:, None]
    for window in EVENTS:
        for holiday, name in holidays.items():
            if name == window.holiday:
                _apply_event(factor, window, holiday.toordinal() - first)
    return Calendar(first, factor, payday - 1, np.array([_kind(int(day)) for day in days]))


def _kind(ordinal: int) -> int:
    """Index in ``DAY_KINDS`` of a day."""
    day = date.fromordinal(ordinal)
    if (day.month, day.day) in HOLIDAYS:
        return DAY_KINDS.index("holiday")
    if (day.month, day.day) in EARLY_DAYS:
        return DAY_KINDS.index("early")
    return DAY_KINDS.index("weekend" if day.weekday() >= 5 else "weekday")


def year_fraction(days: Ints) -> Floats:
    """Position of the ordinals in the solar year, in radians."""
    angle: Floats = 2 * np.pi * ((days - date(2000, 1, 1).toordinal()) / DAYS_PER_YEAR)
    return angle


def _log_season(days: Ints) -> Floats:
    """Smooth annual wave of log demand by category, shape (days, categories)."""
    parameters = [CATEGORY[name] for name in CATEGORIES]
    amplitude = np.array([p.season_amplitude for p in parameters])
    peak = np.array([p.season_peak_day for p in parameters]) * 2 * np.pi / DAYS_PER_YEAR
    wave: Floats = amplitude * np.cos(year_fraction(days)[:, None] - peak)
    return wave


def _payday_factor(days: Ints) -> Floats:
    """Factor of paydays by day of the month, shape (days,)."""
    dates = (days - date(1970, 1, 1).toordinal()).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    day_of_month = (dates - months.astype("datetime64[D]")).astype(int) + 1
    is_last = (dates + 1).astype("datetime64[M]") != months
    factor = np.ones(len(days))
    for day, extra in PAYDAY.items():
        factor[is_last if day == -1 else day_of_month == day] += extra
    return factor


def _apply_event(factor: Floats, window: EventWindow, holiday: int) -> None:
    """Multiply the days of one holiday's window into ``factor``, in place."""
    special = dict(window.categories)
    peak = np.array([special.get(name, window.factor) for name in CATEGORIES])
    length = window.days_before - window.days_until + 1
    for step in range(length):
        row = holiday - window.days_before + step
        weight = (step + 1) / length if window.ramp else 1.0
        if 0 <= row < len(factor):
            factor[row] *= 1 + (peak - 1) * weight
