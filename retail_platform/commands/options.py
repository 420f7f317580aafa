"""Checks the settings of `make` and the Python in use before anything is installed or changed.

Standard library only: it runs before the virtual environment exists.
"""

import argparse
import datetime
import math
import sys

OLDEST_PYTHON = (3, 11)


def main(argv: "list[str] | None" = None) -> int:
    """Check what is given; each problem gets one line.

    Returns:
        1 if there is a problem, else 0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", help="share of the full volume: a positive number")
    parser.add_argument("--end-date", help="last day of the data: YYYY-MM-DD")
    parser.add_argument("--seed", help="of the random numbers: a whole number from 0")
    options = parser.parse_args(argv)

    problems = []
    if sys.version_info < OLDEST_PYTHON:
        have = ".".join(map(str, sys.version_info[:2]))
        problems.append(
            f"Python 3.11 or newer is needed, {sys.executable} is {have}. "
            "Name another one: make build PYTHON=python3.11"
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        problems.append(
            f"{sys.executable} cannot make virtual environments (no ensurepip or venv). "
            "Debian and Ubuntu: apt-get install python3-venv"
        )
    if options.scale is not None and not _is_positive(options.scale):
        problems.append(
            f"SCALE={options.scale}: a positive number is needed, "
            "for example SCALE=1 (full, the default) or SCALE=0.01"
        )
    if options.end_date is not None and not _is_date(options.end_date):
        problems.append(
            f"END_DATE={options.end_date}: a date YYYY-MM-DD is needed, "
            "for example END_DATE=2025-12-31"
        )
    if options.seed is not None and not options.seed.isdecimal():
        problems.append(f"SEED={options.seed}: a whole number from 0 is needed")
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    return 1 if problems else 0


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < math.inf
    except ValueError:
        return False


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
