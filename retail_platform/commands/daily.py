"""The daily run: takes a lock, loads what arrived, builds what changed, checks and reports.

With RETAIL_LOADER_PASSWORD and RETAIL_TRANSFORMER_PASSWORD, or with RETAIL_PASSWORD_COMMAND (a
shell command that prints a password for $RETAIL_RDS_USER), each step works as its own role. What to
do about each exit code is in docs/runbook.md. The shell command in RETAIL_ON_FAILURE is told of a
failure: RETAIL_OUTCOME, RETAIL_EXIT_CODE, RETAIL_MESSAGE, RETAIL_REPORT and RETAIL_LOG.
"""

import argparse
import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from retail_platform.daily import STEPS, DailyRun, run_daily
from retail_platform.runs import EXPLANATIONS


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
    parser.add_argument("--metrics", type=Path, help="write the run's metrics (OpenMetrics text)")
    parser.add_argument(
        "--step",
        action="append",
        choices=STEPS,
        help="only this step, under the same lock; may be given again (all of them)",
    )
    parser.add_argument(
        "--rebuild",
        nargs=2,
        type=date.fromisoformat,
        metavar=("FROM", "TO"),
        help="also build the months from one day to another again",
    )
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
    if "load" in (options.step or ()) and not options.source:
        parser.error("--step load: give files or folders to load")
    if options.rebuild and options.rebuild[0] > options.rebuild[1]:
        parser.error(f"--rebuild {options.rebuild[0]} {options.rebuild[1]}: FROM is after TO")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    return run_daily(
        DailyRun(
            target=options.target,
            sources=[path.resolve() for path in options.source],
            mapping=options.mapping and options.mapping.resolve(),
            report=options.html and options.html.resolve(),
            metrics=options.metrics and options.metrics.resolve(),
            steps=options.step or STEPS,
            rebuild=tuple(options.rebuild) if options.rebuild else None,
            attempts=options.attempts,
            wait=options.wait,
        )
    )
