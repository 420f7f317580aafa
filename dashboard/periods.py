"""Periods that end on the cut-off date, and how they are drawn: days, weeks or months."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from dashboard import format as fmt

ONE_DAY = datetime.timedelta(days=1)
SAME_WEEKDAY = datetime.timedelta(days=364)
# Longer free dates would overlap what they are compared with.
LONGEST = 364
# The key stands in the URL.
PRESETS = {
    "ayer": "Ayer",
    "semana": "Semana",
    "mes": "Mes",
    "anno": "Año",
    "7d": "7 días",
    "28d": "28 días",
    "91d": "91 días",
    "fechas": "Fechas…",
}
DEFAULT = "28d"


@dataclass(frozen=True)
class Period:
    """A range of days, both ends in it, and the range a year earlier that it is compared with.

    Attributes:
        start: First day.
        end: Last day.
        by_calendar: Whether it is compared with the same days of the calendar, as months and years
            are, in place of the same weekdays.
    """

    start: datetime.date
    end: datetime.date
    by_calendar: bool = False

    def year_before(self, date: datetime.date) -> datetime.date:
        """The day that a day of it is compared with; for 29 February, which has none, the 28th."""
        if not self.by_calendar:
            return date - SAME_WEEKDAY
        leap = (date.month, date.day) == (2, 29)
        return date.replace(year=date.year - 1, day=28 if leap else date.day)

    @property
    def before(self) -> tuple[datetime.date, datetime.date]:
        """First and last day of the range that it is compared with."""
        start = self.year_before(self.start)
        if not self.by_calendar:
            return start, self.year_before(self.end)
        if (self.end + ONE_DAY).day == 1:  # whole months, however long February is
            end = (self.end + ONE_DAY).replace(year=(self.end + ONE_DAY).year - 1) - ONE_DAY
        else:
            end = start + (self.end - self.start)
        return start, end

    @property
    def rule(self) -> str:
        """What it is compared with, in words."""
        start, end = self.before
        how = "mismas fechas" if self.by_calendar else "mismos días de la semana"
        return f"{how} de un año antes ({fmt.dated(start)} – {fmt.dated(end)})"

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1

    @property
    def text(self) -> str:
        """The range in words."""
        return fmt.span(self.start, self.end)

    @property
    def grain(self) -> str:
        """What one point of a drawing of it stands for: ``día``, ``semana`` or ``mes``."""
        return "día" if self.days <= 45 else "semana" if self.days <= 200 else "mes"


def whole_months(start: datetime.date, end: datetime.date) -> tuple[datetime.date, datetime.date]:
    """First and last day of the whole months in a range; without one, an empty range at its start.

    Args:
        start: First day of the range.
        end: Its last day.
    """
    first = start if start.day == 1 else last_of(start, "mes") + ONE_DAY
    last = (end + ONE_DAY).replace(day=1) - ONE_DAY
    return (first, last) if first <= last else (start, start - ONE_DAY)


def preset(key: str, cutoff: datetime.date) -> Period:
    """The range of a preset.

    Args:
        key: Of `PRESETS`, other than ``fechas``.
        cutoff: Its last day.
    """
    starts = {
        "ayer": cutoff,
        "semana": cutoff - ONE_DAY * cutoff.weekday(),
        "mes": cutoff.replace(day=1),
        "anno": cutoff.replace(month=1, day=1),
    }
    start = starts.get(key) or cutoff - ONE_DAY * (int(key.removesuffix("d")) - 1)
    return Period(start, cutoff, by_calendar=key in ("mes", "anno"))


def between(start: datetime.date, end: datetime.date) -> Period:
    """Free dates. Whole months, a year of them at most, are compared as the months that they are.

    Args:
        start: First day; a later one, where the range would overlap what it is compared with.
        end: Last day.
    """
    whole = start.day == 1 and (end + ONE_DAY).day == 1
    if whole and end < start.replace(year=start.year + 1):
        return Period(start, end, by_calendar=True)
    return Period(max(start, end - (LONGEST - 1) * ONE_DAY), end)


def point_of(date: datetime.date, period: Period) -> datetime.date:
    """The first day of the point that a day belongs to.

    Weeks are counted back from the last day, so that no short one stands at the end of the drawing
    as a fall.
    """
    if period.grain == "mes":
        return date.replace(day=1)
    back = (period.end - date).days
    return date - ONE_DAY * (6 - back % 7) if period.grain == "semana" else date


def last_of(point: datetime.date, grain: str) -> datetime.date:
    """The last day of a point."""
    if grain == "mes":
        return (point.replace(day=28) + ONE_DAY * 4).replace(day=1) - ONE_DAY
    return point + ONE_DAY * 6 if grain == "semana" else point


def points(period: Period) -> list[datetime.date]:
    """The points of a period, in order."""
    dates: Iterable[datetime.date] = (period.start + ONE_DAY * n for n in range(period.days))
    return sorted({point_of(date, period) for date in dates})
