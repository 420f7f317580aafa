"""Bring a backup into an empty database; `dbt build` then makes the rest."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from retail_platform.backup import restore
from retail_platform.commands.backup import PLACE
from retail_platform.targets import connection_parameters


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and restore."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="local", help="a target of profiles.yml (%(default)s)")
    parser.add_argument(
        "--from",
        dest="place",
        type=Path,
        default=PLACE,
        metavar="FOLDER",
        help="a backup, or where backups are: then the newest (%(default)s)",
    )
    parser.add_argument(
        "--jobs", type=int, choices=range(1, 33), default=2, metavar="N", help="(%(default)s)"
    )
    options = parser.parse_args(argv)
    began = time.monotonic()
    contents = restore(
        connection_parameters(options.target), options.place.resolve(), jobs=options.jobs
    )
    print(
        f"restored the backup of {contents.made}: {len(contents.rows)} tables, "
        f"{sum(contents.rows.values()):,} rows, each counted; {time.monotonic() - began:.1f} s"
    )
    if not contents.everything:
        print(f"Next: dbt build --target {options.target}")
    return 0
