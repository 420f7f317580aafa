"""END_DATE, SCALE and SEED: their defaults and what is allowed, here and nowhere else.

Standard library only, and readable by any Python 3: `make` asks with whatever Python there is,
before anything is installed.
"""

import argparse
import datetime
import re

DEFAULT_SCALE = 1.0
DEFAULT_SEED = 20240101
MAX_SCALE = 20.0
EARLIEST_START = datetime.date(2015, 1, 1)
LATEST_END = datetime.date(2035, 12, 31)


class SettingError(argparse.ArgumentTypeError):
    """A value that is not allowed; says what was got and what is allowed."""


def default_end_date() -> datetime.date:
    """Yesterday, the last day that is over."""
    return datetime.date.today() - datetime.timedelta(days=1)


def parse_scale(text: str) -> float:
    """Read SCALE, the share of the full volume.

    Raises:
        SettingError: It is no number, or not one that is allowed.
    """
    try:
        return check_scale(float(text))
    except ValueError:
        raise _scale_error(repr(text)) from None


def check_scale(scale: float) -> float:
    """Refuse a scale that is not above 0 or is too large.

    Raises:
        SettingError: It is not allowed.
    """
    if not 0 < scale <= MAX_SCALE:
        raise _scale_error(f"{scale:g}")
    return scale


def _scale_error(got: str) -> SettingError:
    return SettingError(
        f"got {got}; allowed: a number above 0, at most {MAX_SCALE:g}, such as 1 (full) or 0.01"
    )


def parse_seed(text: str) -> int:
    """Read SEED, of all random numbers.

    Raises:
        SettingError: It is no whole number from 0.
    """
    if not re.match("[0-9]+$", text):
        raise SettingError(f"got {text!r}; allowed: an integer of 0 or more")
    return int(text)


def check_seed(seed: int) -> int:
    """Refuse a negative seed.

    Raises:
        SettingError: It is negative.
    """
    return parse_seed(str(seed))


def parse_end_date(text: str) -> datetime.date:
    """Read END_DATE, the last day of the data.

    Raises:
        SettingError: It is no date, or outside the years of which the holidays are known.
    """
    try:
        if not re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}$", text):
            raise ValueError
        end = datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise SettingError(
            f"got {text!r}; allowed: a date as YYYY-MM-DD, such as 2025-12-31"
        ) from None
    return check_end_date(end)


def check_end_date(end: datetime.date) -> datetime.date:
    """Refuse an end outside the years of which the holidays are known.

    Raises:
        SettingError: It is outside them.
    """
    if not EARLIEST_START <= end <= LATEST_END:
        raise SettingError(
            f"got {end}; allowed: {EARLIEST_START} to {LATEST_END}, "
            "the years of which the holidays are known"
        )
    return end


def refuse_future(end: datetime.date) -> None:
    """Refuse days that have not begun: sales of the future would be taken for real ones.

    Raises:
        SettingError: The end is after today.
    """
    today = datetime.date.today()
    if end > today:
        raise SettingError(
            f"got {end}, which is in the future; allowed: up to today, {today} "
            "(the default is yesterday)"
        )
