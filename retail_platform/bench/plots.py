"""The charts of docs/performance.md, each as SVG for a light and for a dark page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

matplotlib.use("svg")

THEMES = {"light": ("#1f2328", "#d1d9e0"), "dark": ("#e6edf3", "#3d444d")}
# Distinguishable with any colour vision, on white and on black (Okabe and Ito, 2008).
COLOURS = ("#d55e00", "#e69f00", "#009e73", "#56b4e9", "#cc79a7", "#0072b2")


def fit_exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """The b of y = a * x ** b by least squares on logarithms.

    Args:
        x: Positive, at least two different ones.
        y: Positive.
    """
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def bars(
    folder: Path,
    name: str,
    groups: Sequence[str],
    series: Mapping[str, Sequence[float]],
    label: str,
    logarithmic: bool = False,
) -> None:
    """Horizontal bars in groups.

    Args:
        folder: Where ``<name>-light.svg`` and ``<name>-dark.svg`` go.
        name: Of the chart.
        groups: One name per group.
        series: Name -> a value per group.
        label: Of the axis, with the unit.
        logarithmic: Whether the axis is.
    """
    thickness = 0.8 / len(series)
    for axes in _charts(folder, name, height=0.9 + 0.2 * len(groups) * len(series)):
        for index, (title, values) in enumerate(series.items()):
            positions = np.arange(len(groups)) + thickness * (index - (len(series) - 1) / 2)
            drawn = axes.barh(positions, values, 0.9 * thickness, label=title, color=COLOURS[index])
            axes.bar_label(drawn, fmt="%.3g", padding=3, fontsize=8)
        axes.set_yticks(np.arange(len(groups)), groups)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        if logarithmic:
            axes.set_xscale("log")
        axes.set_xlabel(label)
        axes.legend(
            frameon=False, fontsize=8, ncols=len(series), loc="lower left", bbox_to_anchor=(0, 1)
        )


def growth(
    folder: Path, name: str, x: Sequence[float], series: Mapping[str, Sequence[float]], label: str
) -> None:
    """Lines over the number of sale lines, both axes logarithmic, the exponent in the legend.

    Args:
        folder: Where the files go.
        name: Of the chart.
        x: Sale lines.
        series: Name -> a value for each x.
        label: Of the vertical axis, with the unit.
    """
    for axes in _charts(folder, name, height=3.6):
        for index, (title, values) in enumerate(series.items()):
            shown = f"{title} (exponent {fit_exponent(x, values):.2f})" if len(x) > 1 else title
            axes.loglog(x, values, marker="o", label=shown, color=COLOURS[index])
        axes.set_xlabel("sale lines")
        axes.set_ylabel(label)
        axes.grid(visible=True, alpha=0.3)
        axes.legend(frameon=False, fontsize=8)


def _charts(folder: Path, name: str, height: float) -> Iterator[Axes]:
    """One chart after the other to draw the same in: for each theme."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme in THEMES:
        with _chart(folder / f"{name}-{theme}.svg", theme, height) as axes:
            yield axes


@contextmanager
def _chart(path: Path, theme: str, height: float) -> Iterator[Axes]:
    ink, line = THEMES[theme]
    style: Any = {
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), ink),
        "axes.edgecolor": line,
        "grid.color": line,
        "axes.spines.top": False,
        "axes.spines.right": False,
        # The same figures give the same file, so that git shows only real changes.
        "svg.hashsalt": path.name,
        "svg.fonttype": "none",
        "font.size": 9,
    }
    with plt.rc_context(style):
        figure, axes = plt.subplots(figsize=(8, height), layout="constrained")
        yield axes
        figure.savefig(path, transparent=True, metadata={"Date": None})
        plt.close(figure)
