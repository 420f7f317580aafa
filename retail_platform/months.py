"""Arithmetic of calendar months."""

from datetime import date


def next_month(day: date) -> date:
    """First day of the month after a day's."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
