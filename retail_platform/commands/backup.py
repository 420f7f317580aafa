"""Back up what no build can make again: raw rows, ledger, refused rows, snapshots.

The backup is a folder of its own, named by the time, under --to; the database may be in use.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from retail_platform.backup import back_up
from retail_platform.targets import connection_parameters

PLACE = Path("respaldo")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and back up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", default="local", help="a target of profiles.yml (%(default)s)")
    parser.add_argument(
        "--to", type=Path, default=PLACE, metavar="FOLDER", help="where backups are (%(default)s)"
    )
    parser.add_argument(
        "--everything", action="store_true", help="the whole database, what a build makes included"
    )
    parser.add_argument(
        "--jobs", type=int, choices=range(1, 33), default=2, metavar="N", help="(%(default)s)"
    )
    options = parser.parse_args(argv)
    began = time.monotonic()
    folder, contents = back_up(
        connection_parameters(options.target),
        options.to.resolve(),
        everything=options.everything,
        jobs=options.jobs,
    )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(
        f"{folder}: {len(contents.rows)} tables, {sum(contents.rows.values()):,} rows, "
        f"{size / 1e6:,.1f} MB; {time.monotonic() - began:.1f} s"
    )
    return 0
