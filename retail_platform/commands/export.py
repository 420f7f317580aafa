"""Copy what is published into Parquet files, change by change, or check such a copy.

What did not change since the last time is not written again. Readers go by manifest.json, which is
replaced as a whole after the new files are there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import timedelta

from retail_platform.export.checking import check
from retail_platform.export.exporting import Options, Report, export
from retail_platform.export.manifest import files_of
from retail_platform.export.stores import open_store
from retail_platform.targets import connection_parameters


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and export or check; 1 if the copy is not what the database is."""
    options = _parser().parse_args(argv)
    store = open_store(options.to)
    parameters = connection_parameters(options.target)
    if options.check:
        findings = check(parameters, store)
        print("\n".join(findings.lines))
        return 0 if findings.good else 1
    began = time.monotonic()
    report = export(
        parameters,
        store,
        Options(
            grace=timedelta(hours=options.grace_hours),
            workers=options.workers,
            replace=options.replace,
            forget_archived=options.forget_archived,
        ),
    )
    _print(report, store.shown, time.monotonic() - began)
    return 0


def _print(report: Report, place: str, seconds: float) -> None:
    for line in report.told:
        print(line)
    for name, entries in sorted(report.written.items()):
        periods = [entry["period"] for entry in entries if entry["period"]]
        which = f" ({periods[0]})" if len(periods) == 1 else ""
        print(
            f"{name}: {len(entries)} of {len(report.manifest['relations'][name]['files'])} files"
            f"{which}, {sum(entry['rows'] for entry in entries):,} rows, "
            f"{sum(entry['bytes'] for entry in entries) / 1e6:.1f} MB"
        )
    files = files_of(report.manifest).values()
    print(
        f"{'' if report.written else 'nothing new; '}{place}: "
        f"{len(report.manifest['relations'])} relations, {len(files)} files, "
        f"{sum(entry['rows'] for entry in files):,} rows, "
        f"{sum(entry['bytes'] for entry in files) / 1e6:.1f} MB; {seconds:.1f} s"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", default="local", help="a target of profiles.yml")
    parser.add_argument(
        "--to",
        required=True,
        metavar="PLACE",
        help="a folder, or s3://bucket/prefix (gs:// too), options of pyarrow after a ?",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing: compare the copy with the database"
    )
    parser.add_argument(
        "--grace-hours",
        type=_hours,
        default=1.0,
        metavar="HOURS",
        help="how long files stay that were replaced, for who still reads them (%(default)s)",
    )
    parser.add_argument(
        "--workers", type=int, choices=range(1, 33), default=2, metavar="N", help="(%(default)s)"
    )
    parser.add_argument(
        "--replace", action="store_true", help="take the place of a copy of another database"
    )
    parser.add_argument(
        "--forget-archived",
        action="store_true",
        help="let files go whose partition detach_partitions took out of PostgreSQL",
    )
    return parser


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = -1
    if not 0 <= hours <= 24 * 365:
        raise argparse.ArgumentTypeError(f"got {text!r}; allowed: a number from 0 to {24 * 365}")
    return hours
