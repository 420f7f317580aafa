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
    EVENTS,
    FORMAT,
    FORMATS,
    PAYDAY,
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
        weekday_factor: Shape of the week by format; shape (7, formats), Monday first.
    """

    first: int
    category_factor: Floats
    weekday_factor: Floats

    def categories(self, days: Ints) -> Floats:
        """Factor of each category on the given ordinals, shape (len(days), categories)."""
        last = len(self.category_factor) - 1
        return self.category_factor[np.clip(days - self.first, 0, last)]

    def weekdays(self, days: Ints) -> Floats:
        """Factor of each format on the given ordinals, shape (len(days), formats)."""
        return self.weekday_factor[(days - 1) % 7]


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
    factor = np.exp(_log_season(days)) * _payday_factor(days)[:, None]
    for window in EVENTS:
        for holiday, name in holidays.items():
            if name == window.holiday:
                _apply_event(factor, window, holiday.toordinal() - first)
    weekday = np.array([FORMAT[name].weekday for name in FORMATS]).T
    return Calendar(first, factor, weekday / weekday.mean(axis=0))


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
