"""The daily run: takes a lock, loads what arrived, builds what changed, checks and reports.

With RETAIL_LOADER_PASSWORD and RETAIL_TRANSFORMER_PASSWORD, or with RETAIL_PASSWORD_COMMAND (a
shell command that prints a password for $RETAIL_RDS_USER), each step works as its own role. What to
do about each exit code is in docs/runbook.md.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from retail_platform.daily import EXPLANATIONS, DailyRun, run_daily


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and run; the exit code is the outcome."""
    defaults = DailyRun(target="rds", sources=())
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="exit codes:\n"
        + "\n".join(f"{outcome.value:4}  {text}" for outcome, text in EXPLANATIONS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", nargs="*", type=Path, help="files or folders to load")
    parser.add_argument(
        "--target", default=defaults.target, help="a target of profiles.yml (%(default)s)"
    )
    parser.add_argument("--mapping", type=Path, help="mapping file of the loader")
    parser.add_argument("--html", type=Path, help="also write the report as an HTML page")
    parser.add_argument(
        "--attempts",
        type=int,
        default=defaults.attempts,
        help="how often a failed step is tried (%(default)s)",
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=defaults.wait,
        help="seconds between two attempts (%(default).0f)",
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    outcome = run_daily(
        DailyRun(
            target=options.target,
            sources=[path.resolve() for path in options.source],
            mapping=options.mapping and options.mapping.resolve(),
            report=options.html and options.html.resolve(),
            attempts=options.attempts,
            wait=options.wait,
        )
    )
    logging.log(
        logging.ERROR if outcome else logging.INFO,
        "%s (exit code %d)",
        EXPLANATIONS[outcome],
        outcome,
    )
    return outcome
