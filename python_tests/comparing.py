"""Compares answers of two engines: what is exact exactly, quotients to the last figure shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from decimal import Decimal
from typing import Any

# Measured to two decimals, unless a number shows how many it has.
ROUNDING = 0.0101


def assert_same_rows(found: Iterable[tuple], expected: Iterable[tuple], about: str) -> int:
    """Compare the rows of two engines, whose order of ties is open.

    Args:
        found: By the one.
        expected: By the other.
        about: What a failure says.

    Returns:
        How many rows there are.
    """
    left, right = _ordered(found), _ordered(expected)
    assert len(left) == len(right), about
    for one, other in zip(left, right, strict=True):
        assert len(one) == len(other) and all(map(_same, one, other)), (about, one, other)
    return len(left)


def _same(left: Any, right: Any) -> bool:
    numbers = (int, float, Decimal)
    if isinstance(left, numbers) and isinstance(right, numbers):
        return abs(float(left) - float(right)) <= _rounding(left, right)
    return _plain(left) == _plain(right)


def _rounding(left: float | Decimal, right: float | Decimal) -> float:
    """A quotient of decimals is a double elsewhere: its last figure may round the other way."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Decimal) and isinstance(other, float):
            return max(ROUNDING, 1.01 * 10.0 ** int(one.as_tuple().exponent))
    return ROUNDING


def _plain(value: Any) -> Any:
    """Some engines' clients give dates as text."""
    return value.isoformat() if isinstance(value, date | time) else value


def _ordered(rows: Iterable[tuple]) -> list[tuple]:
    """By what is exact, then by numbers: statements leave the order of ties open."""
    return sorted(
        map(tuple, rows),
        key=lambda row: (
            [str(_plain(value)) for value in row if not isinstance(value, float | Decimal)],
            [float(value) for value in row if isinstance(value, float | Decimal)],
        ),
    )
