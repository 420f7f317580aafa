"""Measure the load gate on a CSV file of sales: against a plain COPY, and its memory.

The same bytes are sent by a plain COPY into a table without partitions, then go through the gate
(SHA-256, parsing, every check, COPY by month, ledger); both in a scratch database of the target's
server, which is dropped at the end. Medians.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from retail_platform.bench.gate import measure
from retail_platform.targets import connection_parameters


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", default="local", help="target of profiles.yml")
    parser.add_argument("--rows", type=int, default=2_000_000, help="sale lines (%(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each (%(default)s)")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        result = measure(
            connection_parameters(options.target), Path(folder), options.rows, options.repeat
        )
    print(
        f"{result.rows:,} sale lines, {result.size / 1e6:,.0f} MB of CSV\n"
        f"plain COPY  {result.rows / result.copy_seconds:>12,.0f} rows/s\n"
        f"load gate   {result.rows / result.gate_seconds:>12,.0f} rows/s\n"
        f"gate / COPY {result.gate_seconds / result.copy_seconds:>12.2f} of the time\n"
        f"checks      {result.check_seconds / result.copy_seconds:>12.2f} of the COPY's time\n"
        f"peak memory {result.peak_bytes / 1e6:>12,.0f} MB"
    )
    return 0
