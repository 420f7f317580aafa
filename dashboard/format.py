"""Numbers, dates and periods as people in Mexico write them."""

from __future__ import annotations

import datetime
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_decimal

LOCALE = "es_MX"
# What stands where there is no value: shown as a dash, read out as words.
NOTHING = "–"
_MINUS = "\N{MINUS SIGN}"

Number = int | float | Decimal


def _signed(text: str, negative: bool, plus: bool) -> str:
    return f"{_MINUS}{text}" if negative else f"+{text}" if plus else text


def integer(value: Number | None) -> str:
    """``1,234``."""
    return decimal(value, 0)


def decimal(value: Number | None, digits: int = 1, *, plus: bool = False) -> str:
    """``1,234.5``; a minus sign is a minus, not a hyphen.

    Args:
        value: A number, or None.
        digits: Digits after the point.
        plus: Whether a positive number shows its sign.
    """
    if value is None:
        return NOTHING
    rounded = round(Decimal(value), digits)
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    text = format_decimal(abs(rounded), format=pattern, locale=LOCALE)
    return _signed(text, rounded < 0, plus and rounded > 0)


def money(value: Number | None, digits: int = 0) -> str:
    """``$1,235``, or with digits ``$1,234.50``."""
    if value is None:
        return NOTHING
    text = decimal(value, digits)
    return f"{_MINUS}${text[1:]}" if text.startswith(_MINUS) else f"${text}"


def short_money(value: Number | None, *, plus: bool = False) -> str:
    """``$12.4 M`` (millions), ``$845 mil``, ``$312``: three digits that one remembers."""
    if value is None:
        return NOTHING
    amount = abs(Decimal(value))
    for size, name in (
        (Decimal(10**9), " mil M"),
        (Decimal(10**6), " M"),
        (Decimal(10**3), " mil"),
    ):
        # 999,950 rounds to a million.
        if amount >= size * Decimal("0.9995"):
            scaled = amount / size
            digits = 0 if scaled >= 100 else 1 if scaled >= 10 else 2
            text = f"${decimal(scaled, digits)}{name}"
            return _signed(text, value < 0, plus)
    return _signed(f"${decimal(amount, 0)}", value < 0 and round(amount) > 0, plus and amount > 0)


def percent(share: Number | None, digits: int = 1, *, plus: bool = False) -> str:
    """A share as ``12.3 %``.

    Args:
        share: 0.123 for 12.3 %.
        digits: Digits after the point.
        plus: Whether a positive one shows its sign.
    """
    if share is None:
        return NOTHING
    return f"{decimal(Decimal(share) * 100, digits, plus=plus)} %"


def points(difference: Number | None) -> str:
    """A difference of two shares as ``+0.4 pp`` (percentage points)."""
    if difference is None:
        return NOTHING
    return f"{decimal(Decimal(difference) * 100, 1, plus=True)} pp"


def change(now: Number | None, then: Number | None) -> Decimal | None:
    """Growth as a share: 0.05 for 5 % more; None where there is nothing to compare with."""
    if now is None or not then:
        return None
    return Decimal(now) / Decimal(then) - 1


def ratio(part: Number | None, whole: Number | None) -> Decimal | None:
    """Sum / sum, None where the whole is zero or missing."""
    if part is None or not whole:
        return None
    return Decimal(part) / Decimal(whole)


def day(date: datetime.date | None) -> str:
    """``23 de noviembre de 2026``."""
    return format_date(date, "d 'de' MMMM 'de' y", locale=LOCALE) if date else NOTHING


def short_day(date: datetime.date | None) -> str:
    """``23 nov``."""
    return format_date(date, "d MMM", locale=LOCALE).replace(".", "") if date else NOTHING


def dated(date: datetime.date | None) -> str:
    """``23 nov 2026``."""
    return f"{short_day(date)} {date.year}" if date else NOTHING


def month(date: datetime.date) -> str:
    """``noviembre de 2026``."""
    return format_date(date, "MMMM 'de' y", locale=LOCALE)


def short_month(date: datetime.date) -> str:
    """``nov 26``."""
    return format_date(date, "MMM yy", locale=LOCALE).replace(".", "")


def weekday(date: datetime.date) -> str:
    """``lunes 23 nov 2026``."""
    return f"{format_date(date, 'EEEE', locale=LOCALE)} {dated(date)}"


def moment(when: datetime.datetime | None) -> str:
    """``23 nov 2026, 06:14``, in the clock of the machine."""
    if when is None:
        return NOTHING
    local = when.astimezone()
    return f"{dated(local.date())}, {local:%H:%M}"


def span(start: datetime.date, end: datetime.date) -> str:
    """``1 – 23 de noviembre de 2026``: a range without repeating what both ends share."""
    if start == end:
        return f"{format_date(start, 'EEEE', locale=LOCALE)} {day(start)}"
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day} – {day(end)}"
    if start.year == end.year:
        first = format_date(start, "d 'de' MMMM", locale=LOCALE)
        return f"{first} – {day(end)}"
    return f"{day(start)} – {day(end)}"
