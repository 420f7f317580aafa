"""Checks the settings of `make` and the Python in use before anything is installed or changed.

Standard library only, and readable by any Python 3: it runs before the virtual environment exists,
and tells an older Python that it is one.
"""

import argparse
import sys

from retail_platform import settings

OLDEST_PYTHON = (3, 11)


def main(argv: "list[str] | None" = None) -> int:
    """Check what is given; each problem gets one line.

    Returns:
        1 if there is a problem, else 0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", help="share of the full volume")
    parser.add_argument("--end-date", help="last day of the data, YYYY-MM-DD, not in the future")
    parser.add_argument("--seed", help="of the random numbers")
    parser.add_argument("--show", action="store_true", help="print the settings in force instead")
    options = parser.parse_args(argv)
    if options.show:
        print(
            f"SCALE={options.scale or f'{settings.DEFAULT_SCALE:g}'} (1 = 13 million sale lines)"
            f"  END_DATE={options.end_date or settings.default_end_date()}"
            f"  SEED={options.seed or settings.DEFAULT_SEED}"
        )
        return 0
    problems = _problems_of_python() + _problems_of(options)
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    return 1 if problems else 0


def _problems_of_python() -> "list[str]":
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
    return problems


def _problems_of(options: argparse.Namespace) -> "list[str]":
    problems = []
    for name, text, check in (
        ("SCALE", options.scale, settings.parse_scale),
        ("END_DATE", options.end_date, _past_end_date),
        ("SEED", options.seed, settings.parse_seed),
    ):
        try:
            if text is not None:
                check(text)
        except settings.SettingError as error:
            problems.append(f"{name}: {error}")
    return problems


def _past_end_date(text: str) -> None:
    settings.refuse_future(settings.parse_end_date(text))
