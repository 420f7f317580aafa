"""Holidays and the calendar: the moving ones, and what they do to demand."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from retail_platform.simulator.calendar import build_calendar, read_holidays
from retail_platform.simulator.config import config_for
from retail_platform.simulator.parameters import CATEGORIES, EVENTS, FORMATS
from retail_platform.simulator.stores import build_stores

YEARS = range(2015, 2036)


def _dates(name: str) -> list[date]:
    return [day for day, holiday in read_holidays().items() if holiday == name]


def test_easter_is_the_sunday_after_the_first_full_moon_of_spring() -> None:
    # Dates as published by the Church: a table, so that no formula is tested with itself.
    published = [
        "2015-04-05",
        "2016-03-27",
        "2019-04-21",
        "2024-03-31",
        "2025-04-20",
        "2026-04-05",
        "2027-03-28",
        "2030-04-21",
        "2035-03-25",
    ]
    found = _dates("Domingo de Pascua")
    assert {date.fromisoformat(day) for day in published} <= set(found)
    assert _dates("Viernes Santo") == [day - timedelta(days=2) for day in found]
    assert _dates("Jueves Santo") == [day - timedelta(days=3) for day in found]


@pytest.mark.parametrize(
    ("name", "month", "week"),
    [
        ("Día de la Constitución", 2, 1),
        ("Natalicio de Benito Juárez", 3, 3),
        ("Día de la Revolución (Buen Fin)", 11, 3),
    ],
)
def test_moved_holidays_fall_on_their_monday(name: str, month: int, week: int) -> None:
    days = _dates(name)
    assert [day.year for day in days] == list(YEARS)
    for day in days:
        assert (day.month, day.weekday(), (day.day - 1) // 7 + 1) == (month, 0, week)


def test_buen_fin_ends_around_the_monday_of_the_revolution() -> None:
    mondays = {day.year: day for day in _dates("Día de la Revolución (Buen Fin)")}
    for day in _dates("Buen Fin"):
        assert abs((day - mondays[day.year]).days) <= 8


def test_every_event_of_the_model_is_a_holiday_of_every_year() -> None:
    for window in EVENTS:
        assert {day.year for day in _dates(window.holiday)} == set(YEARS), window.holiday


def test_factors_follow_the_calendar() -> None:
    calendar = build_calendar(read_holidays())

    def factor(day: date, category: str) -> float:
        row = calendar.categories(np.array([day.toordinal()]))[0]
        return float(row[CATEGORIES.index(category)])

    assert factor(date(2024, 12, 23), "Abarrotes") > 1.4 * factor(date(2024, 11, 27), "Abarrotes")
    assert factor(date(2024, 12, 25), "Abarrotes") < 0.6 * factor(date(2024, 12, 23), "Abarrotes")
    assert factor(date(2024, 11, 16), "Electrónica") > 2 * factor(date(2024, 11, 9), "Electrónica")
    assert factor(date(2024, 5, 30), "Bebidas") > 1.15 * factor(date(2024, 11, 29), "Bebidas")
    assert factor(date(2024, 8, 15), "Abarrotes") > 1.05 * factor(date(2024, 8, 13), "Abarrotes")
    assert factor(date(2024, 2, 29), "Abarrotes") > 1.05 * factor(date(2024, 2, 28), "Abarrotes")
    days = np.array([date(2024, 8, 15).toordinal(), date(2024, 8, 13).toordinal()])
    by_region = calendar.paydays(days)
    assert by_region[0, 0] > 1 > by_region[0, -1], "the north is paid more than the southeast"
    assert (by_region[1] == 1).all()


def test_stores_differ_in_their_week() -> None:
    stores = build_stores(config_for(seed=7, scale=1, end=date(2025, 12, 31), years=5))
    assert stores.weekday.mean(axis=0) == pytest.approx(np.ones(len(stores)))
    mean = {
        name: stores.weekday[:, stores.format == index].mean(axis=1)
        for index, name in enumerate(FORMATS)
    }
    assert mean["Hipermercado"].argmax() == mean["Supermercado"].argmax() == 5, "Saturday"
    assert mean["Conveniencia"].argmax() == 4, "Friday"
    large = stores.weekday[5:, stores.format == 0].sum(axis=0)
    assert large.std() > 0.05, "stores of a format are not copies"
