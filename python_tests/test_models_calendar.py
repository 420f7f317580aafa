"""The retail calendar and the days that are compared, against published dates and plain dates."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from conftest import Database

# First days of the years as the National Retail Federation published them (nrf.com).
NRF = {
    2016: date(2016, 1, 31),
    2017: date(2017, 1, 29),
    2018: date(2018, 2, 4),
    2019: date(2019, 2, 3),
    2020: date(2020, 2, 2),
    2021: date(2021, 1, 31),
    2022: date(2022, 1, 30),
    2023: date(2023, 1, 29),
    2024: date(2024, 2, 4),
    2025: date(2025, 2, 2),
}
WEEKS_OF_MONTHS = (4, 5, 4) * 4
DAY = timedelta(days=1)


def fiscal_days() -> dict[date, tuple[int, int, int, int, int, int, int, int]]:
    """Year, quarter, month, week, week of month, restated year, month and week of each day."""
    days = {}
    for year in range(2016, 2025):
        begin, end = NRF[year], NRF[year + 1]
        weeks = (end - begin).days // 7
        months = [m for m, count in enumerate(WEEKS_OF_MONTHS, 1) for _ in range(count)]
        months += [12] * (weeks - 52)
        for number in range((end - begin).days):
            week = number // 7
            month = months[week]
            shifted = week - (weeks - 52)
            restated = (year, months[shifted], shifted + 1) if shifted >= 0 else (year - 1, 12, 53)
            days[begin + number * DAY] = (
                year,
                (month + 2) // 3,
                month,
                week + 1,
                week - months.index(month) + 1,
                *restated,
            )
    return days


def test_the_retail_year_is_the_published_one(built_database: Database) -> None:
    expected = fiscal_days()
    rows = built_database.query(
        """
        select
            fecha, anno_454, trimestre_454, mes_454, semana_454, semana_mes_454,
            anno_454_reexpresado, mes_454_reexpresado, semana_454_reexpresada
        from retail.dim_calendario
        where fecha between %s and %s
        """,
        min(expected),
        max(expected),
    )
    assert {row[0]: row[1:] for row in rows} == expected


@pytest.mark.parametrize(
    ("day", "event", "compared"),
    [
        ("2024-03-29", "Pascua", "2023-04-07"),  # Good Friday
        ("2024-03-31", "Pascua", "2023-04-09"),  # Easter Sunday
        ("2023-11-20", "Buen Fin", "2022-11-21"),  # its last day
        ("2025-05-10", "Día de las Madres", "2024-05-10"),
        ("2025-12-24", "Fin de año", "2024-12-24"),
        ("2025-01-06", "Reyes", "2024-01-06"),
        ("2025-09-01", "Regreso a clases", "2024-08-26"),  # first days of school
        ("2025-06-11", None, "2024-06-12"),  # a Wednesday as any other
        ("2024-02-29", None, "2023-03-02"),
    ],
)
def test_a_day_compares_with_the_same_day_of_its_event(
    built_database: Database, day: str, event: str | None, compared: str
) -> None:
    assert built_database.query(
        "select evento, fecha_comparable_evento::text from retail.dim_calendario where fecha = %s",
        day,
    ) == [(event, compared)]
