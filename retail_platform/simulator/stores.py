"""The stores: where they stand, how large they are, when they open, close and are rebuilt."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mimesis import Generic, Locale

from retail_platform.simulator.arrays import Floats, Ints, Texts
from retail_platform.simulator.config import MIN_STORES, WorldConfig
from retail_platform.simulator.parameters import (
    BASE_CELLS,
    BEGIN_WINDOW_DAYS,
    CHAIN_OF_FORMAT,
    CLOSING_SHARE,
    DAY_PARTS,
    END_WINDOW_DAYS,
    FORMAT,
    FORMATS,
    LATER_WINDOW_DAYS,
    LINES_PER_DAY_FULL_SCALE,
    OPENING_DAYS,
    OPENING_DIP,
    OPENING_SHARE_LATE,
    REFERENCE,
    REGION_SHARE,
    REGIONS,
    REMODEL_LIFT,
    REMODEL_SHARE,
    REMODEL_WORKS_DAYS,
    REMODEL_WORKS_FACTOR,
    SECOND_CHAIN_EVERY,
    SECOND_CHAIN_OF_FORMAT,
    STORE_GROWTH_SIGMA,
    STORE_PART_SIGMA,
    STORE_WEEKEND_SIGMA,
    VOLUME_GROWTH,
)
from retail_platform.simulator.prices import REGION_ZONE
from retail_platform.simulator.products import NEVER
from retail_platform.simulator.streams import Part, stream

_CODE_PREFIX = ("HIP", "SUP", "EXP", "CON")


@dataclass(frozen=True)
class Stores:
    """All stores of the world; every array has one entry per store.

    Attributes:
        store_id: 1, 2, ...
        code: Business key.
        name: Chain, city and neighbourhood.
        chain: Name of the chain.
        format: Index in ``FORMATS``.
        region: Index in ``REGIONS``.
        zone: Index of the price zone.
        city: City.
        state: State.
        area: Sales area in square metres.
        opening: Ordinal of the first day of sale.
        closing: Ordinal of the last day of sale, or ``NEVER``.
        works: Ordinal of the first day of a remodelling, or ``NEVER``.
        remodel: Ordinal of the day it ends, or ``NEVER``.
        lines_per_day: Mean lines a day of the mature store in the first year.
        growth: Growth of its volume a year.
        weekday: Relative demand of the days of the week, Monday first; shape (7, stores).
        part: Relative demand of the parts of the day inside the store; shape (stores, parts).
        start: Ordinal of the world's first day, from which growth counts.
    """

    store_id: Ints
    code: Texts
    name: Texts
    chain: Texts
    format: Ints
    region: Ints
    zone: Ints
    city: Texts
    state: Texts
    area: Ints
    opening: Ints
    closing: Ints
    works: Ints
    remodel: Ints
    lines_per_day: Floats
    growth: Floats
    weekday: Floats
    part: Floats
    start: int

    def __len__(self) -> int:
        """Number of stores."""
        return len(self.store_id)

    def volume(self, days: Ints) -> Floats:
        """Lines a day before season and weekday, 0 while not open; shape (days, stores)."""
        day = days[:, None]
        years = (day - self.start) / 365.25
        age = np.maximum(day - self.opening, 0)
        volume = self.lines_per_day * (1 + self.growth) ** years
        volume = volume * (1 - OPENING_DIP * np.exp(-age / OPENING_DAYS))
        works = (day < self.remodel) & (day >= self.works)
        volume = volume * np.where(works, REMODEL_WORKS_FACTOR, 1.0)
        volume = volume * np.where(day >= self.remodel, REMODEL_LIFT, 1.0)
        volume = volume * ((day >= self.opening) & (day <= self.closing))
        return volume


def build_stores(config: WorldConfig) -> Stores:
    """Draw the stores of a chain of the configured size, and those that it opens later."""
    rng = stream(config.seed, Part.STORES)
    cells = _design(config.store_count)
    cells += cells[MIN_STORES:][:: round(1 / OPENING_SHARE_LATE)]
    count = len(cells)
    region = np.array([cell[0] for cell in cells])
    format_ = np.array([cell[1] for cell in cells])
    city, state = _draw_cities(region, rng)
    chain = _chains(format_)
    low, high = _read_areas()
    area = np.rint(low[format_] + (high - low)[format_] * rng.beta(2, 3, count)).astype(int)
    opening, closing, remodel = _draw_lives(config, count, rng)
    own = stream(config.seed, Part.CHARACTER)
    works = remodel - np.where(remodel < NEVER, own.integers(*REMODEL_WORKS_DAYS, count), 0)
    weekday = np.array([FORMAT[name].weekday for name in FORMATS]).T[:, format_]
    weekday[5:] *= np.exp(own.normal(0.0, STORE_WEEKEND_SIGMA, count))
    return Stores(
        store_id=np.arange(1, count + 1),
        code=np.array([f"{_CODE_PREFIX[f]}-{i + 1:04d}" for i, f in enumerate(format_)], object),
        name=_draw_names(config.seed, chain, city),
        chain=chain,
        format=format_,
        region=region,
        zone=REGION_ZONE[region],
        city=city,
        state=state,
        area=area,
        opening=opening,
        closing=closing,
        works=works,
        remodel=remodel,
        lines_per_day=_volumes(config, format_, area, low, high, rng),
        growth=own.normal(VOLUME_GROWTH, STORE_GROWTH_SIGMA, count),
        weekday=weekday / weekday.mean(axis=0),
        part=np.exp(own.normal(0.0, STORE_PART_SIGMA, (count, len(DAY_PARTS) - 1))),
        start=config.start.toordinal(),
    )


def largest_remainder(shares: Floats, total: int) -> Ints:
    """Split a whole number in proportion to shares (method of largest remainders)."""
    exact = shares / shares.sum() * total
    count = np.floor(exact).astype(int)
    order = np.argsort(-(exact - count), kind="stable")
    count[order[: total - count.sum()]] += 1
    return count


def _design(count: int) -> list[tuple[int, int]]:
    """Cells (region, format) of the stores: the smallest chain first, then in proportion."""
    base = [(REGIONS.index(region), FORMATS.index(format_)) for region, format_ in BASE_CELLS]
    share = np.outer(REGION_SHARE, [FORMAT[name].stores for name in FORMATS])
    wanted = share / share.sum() * count
    for cell in base:
        wanted[cell] -= 1
    extra = count - len(base)
    if extra == 0:
        return base
    counts = largest_remainder(np.maximum(wanted, 0).ravel(), extra).reshape(share.shape)
    more = [(r, f) for r, f in np.ndindex(*share.shape) for _ in range(counts[r, f])]
    return base + more


def _chains(format_: Ints) -> Texts:
    """The chain of each store: its format's own, and now and then the second one."""
    chain = []
    seen = np.zeros(len(FORMATS), int)
    for number, index in enumerate(format_):
        seen[index] += 1
        second = number >= MIN_STORES and seen[index] % SECOND_CHAIN_EVERY == 0
        chain.append((SECOND_CHAIN_OF_FORMAT if second else CHAIN_OF_FORMAT)[FORMATS[index]])
    return np.array(chain, object)


def _draw_cities(region: Ints, rng: np.random.Generator) -> tuple[Texts, Texts]:
    with (REFERENCE / "cities.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = []
    for index in region:
        local = [row for row in rows if row["region"] == REGIONS[index]]
        weight = np.array([float(row["peso"]) for row in local])
        chosen.append(local[rng.choice(len(local), p=weight / weight.sum())])
    return (
        np.array([row["ciudad"] for row in chosen], object),
        np.array([row["estado"] for row in chosen], object),
    )


def _draw_names(seed: int, chain: Texts, city: Texts) -> Texts:
    """Names of stores: chain, city and a street, all different."""
    address = Generic(Locale.ES_MX, seed=seed).address
    names: list[str] = []
    for chain_name, city_name in zip(chain, city, strict=True):
        name = f"{chain_name} {city_name} {address.street_name()}"
        while name in names:
            name = f"{chain_name} {city_name} {address.street_name()}"
        names.append(name)
    return np.array(names, object)


def _read_areas(path: Path = REFERENCE / "formatos.csv") -> tuple[Ints, Ints]:
    """Smallest and largest sales area of each format, in square metres."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["formato"]: row for row in csv.DictReader(file)}
    low = np.array([int(rows[name]["superficie_min_m2"]) for name in FORMATS])
    high = np.array([int(rows[name]["superficie_max_m2"]) for name in FORMATS])
    return low, high


def _draw_lives(
    config: WorldConfig, count: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Draw opening, closing and remodelling; the stores of the smallest chain stay throughout."""
    start = config.start.toordinal()
    opening = start - rng.integers(720, 7000, count)
    closing = np.full(count, NEVER)
    remodel = np.full(count, NEVER)
    chain = config.store_count
    movable = rng.permutation(np.arange(MIN_STORES, chain))
    ends = np.cumsum(
        [round(share * chain) for share in (OPENING_SHARE_LATE, CLOSING_SHARE, REMODEL_SHARE)]
    )
    late, leaving, rebuilt = (
        movable[: ends[0]],
        movable[ends[0] : ends[1]],
        movable[ends[1] : ends[2]],
    )
    opening[late] = start + rng.integers(*BEGIN_WINDOW_DAYS, len(late))
    opening[chain:] = start + rng.integers(*LATER_WINDOW_DAYS, count - chain)
    closing[leaving] = start + rng.integers(*END_WINDOW_DAYS, len(leaving))
    remodel[rebuilt] = start + rng.integers(*END_WINDOW_DAYS, len(rebuilt))
    return opening, closing, remodel


def _volumes(
    config: WorldConfig, format_: Ints, area: Ints, low: Ints, high: Ints, rng: np.random.Generator
) -> Floats:
    """Mean lines a day: by format, sales area and luck, scaled to the volume of the chain."""
    typical = np.array([FORMAT[name].lines_per_day for name in FORMATS])
    relative_area = area / ((low + high) / 2)[format_]
    volume = typical[format_] * relative_area**0.5 * rng.lognormal(0.0, 0.2, len(area))
    whole = volume[: config.store_count].sum()
    return volume * (LINES_PER_DAY_FULL_SCALE * config.scale / whole)
