"""Command line of the simulator: parse, call, report."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from retail_platform import settings
from retail_platform.errors import UserError
from retail_platform.loading import load_folder
from retail_platform.loading.worlds import World, refuse_other_world
from retail_platform.progress import Milestones
from retail_platform.simulator.config import SimulatorError
from retail_platform.simulator.defects import MAX_DIRTY
from retail_platform.simulator.plans import Action, Plan, WantedWorld, plan_world
from retail_platform.simulator.simulation import append, generate
from retail_platform.simulator.workers import MAX_WORKERS
from retail_platform.targets import connection_parameters
from retail_platform.text import printable, shown_path

_FAILURE = 1
_USAGE_ERROR = 2
_INTERRUPTED = 130
_LINE_BREAK = "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments, default those of the process.

    Returns:
        Exit code: 0, 2 for a wrong value, 130 when interrupted.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    if not options.future:
        try:
            settings.refuse_future(options.end_date)
        except settings.SettingError as error:
            parser.error(f"argument --end-date: {error}")
    # A stop from outside ends like Ctrl-C: workers are told and the partial files removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=True)
    begun = time.perf_counter()
    try:
        # An unknown target is told before the work, not after it.
        parameters = connection_parameters(options.target) if options.load else None
        if options.dirty and (options.append or options.keep):
            raise SimulatorError("--dirty makes a new world; leave out --append and --keep")
        wanted = WantedWorld(options.seed, options.scale, options.end_date, options.years)
        plan = plan_world(options.output, wanted, append=options.append, keep=options.keep)
        world = _world(plan, options.end_date, options.dirty)
        for target in {options.fits, options.target if options.load else None} - {None}:
            # Before anything is written: the folder keeps the world that is loaded.
            refuse_other_world(target, world, options.output)
        _generate(options, plan, console)
        if not options.quiet:
            console.print(f"{options.output}: done in {time.perf_counter() - begun:.1f} s")
        if parameters is not None:
            return _load(options, parameters, console)
    except SimulatorError as error:
        sys.stderr.write(f"generate: {printable(str(error), keep=_LINE_BREAK)}\n")
        return _USAGE_ERROR
    except UserError as error:
        sys.stderr.write(f"generate: {printable(str(error), keep=_LINE_BREAK)}\n")
        return _FAILURE
    except KeyboardInterrupt:
        sys.stderr.write("generate: interrupted; the output folder is as it was before\n")
        return _INTERRUPTED
    return 0


def _world(plan: Plan, end: date, dirty: float) -> World:
    """The world that the folder will hold, as the load gate knows it."""
    config = plan.config
    return World(config.seed, config.scale, config.start, end, dirty)


def _generate(options: argparse.Namespace, plan: Plan, console: Console) -> None:
    """Carry out a plan."""
    end: date = options.end_date
    if plan.note:
        console.print(printable(plan.note), markup=False, highlight=False, soft_wrap=True)
    if plan.action is Action.KEEP:
        return
    days = (end - plan.first).days + (plan.action is Action.GENERATE)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} days"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=options.quiet or not console.is_terminal,
    ) as bar:
        task = bar.add_task("Simulating", total=days)

        milestones = Milestones("Simulating", "days", days)

        def on_day(done: int) -> None:
            bar.advance(task, done)
            if bar.disable and not options.quiet:
                milestones.reach(int(bar.tasks[task].completed))

        if plan.action is Action.APPEND:
            append(end, options.output, workers=options.workers, on_day=on_day)
        else:
            generate(
                plan.config,
                end,
                options.output,
                workers=options.workers,
                dirty=options.dirty,
                on_day=on_day,
            )


def _load(options: argparse.Namespace, parameters: dict[str, str], console: Console) -> int:
    """Load the folder into the target; 1 if a file was refused."""
    report = load_folder(options.output, parameters)
    if not options.quiet:
        console.print(f"{options.target}: {report.rows:,} rows loaded in {report.seconds:.1f} s")
    for file in report.failed:
        sys.stderr.write(f"refused {shown_path(file.file.path)}: {file.error}\n")
    return _FAILURE if report.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Generate the data of the simulated retail chain.")
    parser.add_argument(
        "--scale",
        type=settings.parse_scale,
        default=settings.DEFAULT_SCALE,
        help="volume, 1 = full (13 million sale lines)",
    )
    parser.add_argument(
        "--seed",
        type=settings.parse_seed,
        default=settings.DEFAULT_SEED,
        help="seed of all random streams (default %(default)s)",
    )
    parser.add_argument(
        "--end-date",
        type=settings.parse_end_date,
        default=settings.default_end_date(),
        metavar="YYYY-MM-DD",
        help="last day with data, default yesterday",
    )
    parser.add_argument(
        "--future", action="store_true", help="allow an --end-date after today, for trials"
    )
    parser.add_argument("--years", type=_whole(1), default=5, help="years of history (default 5)")
    parser.add_argument("--output", type=Path, default=Path("data"), help="folder (default data)")
    parser.add_argument(
        "--workers", type=_whole(1, MAX_WORKERS), default=2, help="processes (default 2)"
    )
    parser.add_argument(
        "--append", action="store_true", help="continue the world in --output up to --end-date"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the world in --output if it is this one, and append only the days it lacks",
    )
    parser.add_argument(
        "--dirty",
        type=_share,
        default=0.0,
        metavar="FRACTION",
        help="share of the rows that get a planted defect, listed in the manifest (default none)",
    )
    parser.add_argument(
        "--fits",
        metavar="TARGET",
        help="generate nothing if another simulated world is loaded in this target",
    )
    parser.add_argument("--load", action="store_true", help="load the files into --target as well")
    parser.add_argument(
        "--target", default="local", help="target of profiles.yml for --load (default local)"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return parser


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= MAX_DIRTY:
        raise argparse.ArgumentTypeError(f"got {text!r}; allowed: a share from 0 to {MAX_DIRTY:g}")
    return value


def _whole(least: int, most: int | None = None) -> "type[int]":
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            limit = f"an integer of {least} or more" if most is None else f"{least} to {most}"
            raise argparse.ArgumentTypeError(f"got {text!r}; allowed: {limit}")
        return value

    return parse  # type: ignore[return-value]
