"""What becomes of an output folder: its world is kept, continued, or made anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from pathlib import Path

from retail_platform.manifests import MANIFEST
from retail_platform.simulator.config import SimulatorError, WorldConfig, config_for
from retail_platform.simulator.fingerprint import model_fingerprint
from retail_platform.simulator.manifest import read_manifest
from retail_platform.simulator.writer import foreign_files


class Action(Enum):
    """What is done with the output folder."""

    KEEP = auto()
    APPEND = auto()
    GENERATE = auto()


@dataclass(frozen=True)
class WantedWorld:
    """The world that is asked for.

    Attributes:
        seed: Seed of all random streams.
        scale: Volume, 1 = full.
        end: Last day.
        years: Years of history up to the last day, of a world that is made anew.
    """

    seed: int
    scale: float
    end: date
    years: int


@dataclass(frozen=True)
class Plan:
    """What the folder will hold.

    Attributes:
        action: How it comes to hold it.
        config: Identity of the world.
        first: First day that has to be simulated.
        note: What to tell the user, if anything.
    """

    action: Action
    config: WorldConfig
    first: date
    note: str = ""


def plan_world(output: Path, wanted: WantedWorld, *, append: bool, keep: bool) -> Plan:
    """Decide what to do, from what is wanted and the folder; changes nothing.

    Args:
        output: The folder.
        wanted: The world asked for; of it only the last day counts if a world is continued.
        append: Continue the world in the folder, whatever it is.
        keep: Keep the world in the folder if it is this one, and continue it if it ends earlier.

    Raises:
        SimulatorError: What is wanted is not allowed, or does not fit the world in the folder.
    """
    if append:
        earlier = read_manifest(output / MANIFEST)
        earlier.check_continuable(wanted.end)
        return Plan(Action.APPEND, earlier.config, earlier.end)
    config = config_for(seed=wanted.seed, scale=wanted.scale, end=wanted.end, years=wanted.years)
    kept = _kept(output, config, wanted.end) if keep else None
    return kept or Plan(Action.GENERATE, config, config.start)


def _kept(output: Path, wanted: WorldConfig, end: date) -> Plan | None:
    """How the world in the folder is kept; None if it is not the one asked for."""
    try:
        manifest = read_manifest(output / MANIFEST)
    except SimulatorError:
        return None
    found = manifest.config
    same = (found.seed, found.scale) == (wanted.seed, wanted.scale) and found.start <= wanted.start
    if not same or manifest.is_dirty or manifest.end > end:
        return None
    foreign = foreign_files(output, manifest.files)
    if foreign or manifest.model != model_fingerprint():
        # The same world once more: its first day is that of the folder, not of today's settings.
        why = f"{len(foreign)} files are not its own" if foreign else "the simulator has changed"
        note = f"{output}: this world is made again, {why}"
        if foreign:
            note += f" ({'; '.join(foreign[:3])})"
        return Plan(Action.GENERATE, found, found.start, note)
    if manifest.end == end:
        note = f"{output}: kept, it holds this world up to {end}"
        return Plan(Action.KEEP, found, end, note)
    return Plan(Action.APPEND, found, manifest.end)
