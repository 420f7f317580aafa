"""Writes docs/performance.md and its charts from the results."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from retail_platform.bench import plots
from retail_platform.bench.indexes import ALTERNATIVES
from retail_platform.bench.measure import Measurement
from retail_platform.bench.queries import VARIANTS

TEMPLATE = Path(__file__).with_name("performance.md.j2")
RESULTS, PAGE, IMAGES = "performance.json", "performance.md", "img"
STAGES = {"generate": "generate_s", "load": "load_s"}


def read_results(folder: Path) -> dict[str, Any]:
    """What was measured so far.

    Args:
        folder: Of the page; without results in it there are none.
    """
    path = folder / RESULTS
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"histories": {}}


def write_report(folder: Path, results: dict[str, Any]) -> Path:
    """Write results, charts and page.

    Args:
        folder: Where they go.
        results: All sections measured so far.

    Returns:
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1, ensure_ascii=False, default=str)
    (folder / RESULTS).write_text(f"{text}\n", encoding="utf-8")
    _draw(folder / IMAGES, results)
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"ms": _ms, "number": _number, "size": _size, "times": _times}
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        results=results,
        histories=_ordered(results),
        exponents=exponents(results),
        gains=index_gains(results),
        alternatives=list(ALTERNATIVES),
    )
    path = folder / PAGE
    path.write_text(page.rstrip() + "\n", encoding="utf-8")
    return path


def _ordered(results: dict[str, Any]) -> list[Measurement]:
    return sorted(results["histories"].values(), key=lambda history: history["lines"])


def exponents(results: dict[str, Any]) -> dict[str, float]:
    """How each stage grows: b of time = a * lines ** b over the histories of five years.

    Longer histories are left out: they have the same month sizes with more months, another way to
    grow.

    Args:
        results: All sections.

    Returns:
        Stage -> exponent; empty with fewer than two histories.
    """
    histories = [history for history in _ordered(results) if history["years"] == 5]
    if len(histories) < 2:
        return {}
    lines = [history["lines"] for history in histories]
    return {name: plots.fit_exponent(lines, values) for name, values in _series(histories).items()}


def _series(histories: Sequence[Measurement]) -> dict[str, list[float]]:
    return {
        **{stage: [history[key] for history in histories] for stage, key in STAGES.items()},
        "dbt build": [history["build"]["wall_s"] for history in histories],
        "one more day": [history["days"]["wall_s"]["median"] for history in histories],
    }


def index_gains(results: dict[str, Any]) -> dict[str, float]:
    """How much faster each alternative makes the ad hoc queries than no index at all.

    Args:
        results: All sections.

    Returns:
        Alternative -> geometric mean over the queries of (ms without index / ms with it).
    """
    queries = results.get("queries", {}).get("alternatives", {}).get("ms", {})
    if not queries:
        return {}
    names = next(iter(queries.values()))
    return {
        name: statistics.geometric_mean(ms["none"] / ms[name] for ms in queries.values())
        for name in names
    }


def _draw(folder: Path, results: dict[str, Any]) -> None:
    if "queries" in results:
        questions = results["queries"]["questions"]
        plots.bars(
            *(folder, "questions", list(questions)),
            {
                variant: [
                    question["variants"][variant]["warm_ms"]["median"]
                    for question in questions.values()
                ]
                for variant in VARIANTS
            },
            "ms in the server, warm (logarithmic)",
            logarithmic=True,
        )
    histories = _ordered(results)
    if histories:
        lines = [history["lines"] for history in histories]
        plots.growth(folder, "time", lines, _series(histories), "seconds")
        sizes = {
            "files": [history["file_bytes"] / 1e6 for history in histories],
            "database": [sum(history["bytes"].values()) / 1e6 for history in histories],
        }
        plots.growth(folder, "size", lines, sizes, "MB")
        plots.bars(
            *(folder, "daily", [_number(count) for count in lines]),
            {
                "one more day": [history["days"]["wall_s"]["median"] for history in histories],
                "of it in the database": [
                    history["days"]["database_s"]["median"] for history in histories
                ],
                "a late file": [history["late"]["wall_s"]["median"] for history in histories],
            },
            "seconds of dbt build, by sale lines there are",
        )


def _ms(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _number(value: float) -> str:
    for size, unit in ((1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:,.0f}"


def _size(value: float) -> str:
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e3:.3g} kB"


def _times(value: float) -> str:
    return f"{value:,.0f}×" if value >= 10 else f"{value:.2g}×"
