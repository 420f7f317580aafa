"""Writes the dashboard's first page as one HTML file, for mail or an intranet."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="where to write it")
    parser.add_argument("--target", default="local", help="a target of profiles.yml")
    parser.add_argument(
        "--period", default="28d", help="ayer, semana, mes, anno, 7d, 28d or 91d (default 28d)"
    )
    parser.add_argument(
        "--dashboard-url", default="", metavar="URL", help="where links lead; without it none do"
    )
    options = parser.parse_args(argv)

    from dashboard.report import write  # its packages are an extra

    size = write(
        options.target, options.file, period=options.period, dashboard_url=options.dashboard_url
    )
    print(f"{options.file}: {size / 1024:.0f} kB")
    return 0
