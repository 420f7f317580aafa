"""Drawings as HTML and SVG: they follow the theme, print sharp, need no script, and mail.

A drawing stretches its lines to the width that there is, while its texts keep their size: the lines
are an SVG without aspect ratio, the texts are HTML placed in percent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from dashboard.markup import Target, link

Values = Sequence[float | None]


@dataclass(frozen=True)
class Point:
    """A place on the horizontal axis.

    Attributes:
        label: What stands under it, empty for no text.
        title: What it is, in full.
        lines: Name and value of each line at it, as written.
        target: What a click on it shows.
    """

    label: str
    title: str
    lines: Sequence[tuple[str, str]]
    target: Target | None = None


def nice_ceiling(value: float) -> float:
    """The smallest 1, 2, 2.5 or 5 times a power of ten that is not less, in quarters."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    for factor in (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10):
        if value <= factor * power * 1.0000001:
            return factor * power
    return 10 * power


def _path(values: Values, low: float, high: float) -> str:
    """An SVG path in a square of 100: gaps where a value is missing."""
    step = 100 / max(len(values) - 1, 1)
    parts, pen = [], "M"
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        y = 100 - 100 * (value - low) / ((high - low) or 1)
        parts.append(f"{pen}{index * step:.2f} {y:.2f}")
        pen = "L"
    return " ".join(parts)


def trend(
    points: Sequence[Point],
    now: Values,
    then: Values,
    *,
    label: str,
    write: Callable[[float], str],
    names: tuple[str, str],
) -> str:
    """A line over time from zero, with last year's behind it.

    Args:
        points: The places, in order.
        now: Values of the line.
        then: Values of the line behind; empty for none.
        label: What it shows, for who hears it only.
        write: Writes a value of the vertical axis.
        names: Of the two lines.
    """
    high = nice_ceiling(max((value for value in (*now, *then) if value is not None), default=1))
    count = max(len(points) - 1, 1)
    path = _path(now, 0, high)
    last = max((index for index, value in enumerate(now) if value is not None), default=0)
    area = f"{path} L{100 * last / count:.2f} 100 L0 100 Z" if path else ""
    levels = "".join(
        f'<span class="nivel" style="bottom:{share:.0%}">'
        f"<i>{escape(write(high * share))}</i></span>"
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    labels = "".join(
        f"<span{' class=fin' if index == len(points) - 1 else ''} "
        f'style="left:{100 * index / count:.2f}%">{escape(point.label)}</span>'
        for index, point in enumerate(points)
        if point.label
    )
    key = f'<span class="clave ahora">{escape(names[0])}</span>'
    key += f'<span class="clave antes">{escape(names[1])}</span>' if then else ""
    behind = f'<path class="antes" d="{_path(then, 0, high)}"/>' if then else ""
    return (
        f'<figure class="grafica" aria-label="{escape(label)}">'
        f'<div class="claves" aria-hidden="true">{key}</div><div class="lienzo">{levels}'
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="area" d="{area}"/>{behind}<path class="ahora" d="{path}"/></svg>'
        f'<div class="zonas" aria-hidden="true">{_zones(points, now, high)}</div></div>'
        f'<div class="eje" aria-hidden="true">{labels}</div></figure>'
    )


def _zones(points: Sequence[Point], now: Values, high: float) -> str:
    """What the mouse meets: a column for each point, with its values, and a click."""
    count = max(len(points) - 1, 1)
    zones = []
    for index, point in enumerate(points):
        middle = 100 * index / count
        lines = "".join(
            f"<span><i>{escape(name)}</i> {escape(text)}</span>" for name, text in point.lines
        )
        side = "der" if middle > 60 else ""
        value = now[index]
        dot = (
            f'<span class="punto" style="bottom:{100 * value / high:.1f}%"></span>'
            if value is not None
            else ""
        )
        inner = f'{dot}<span class="globo {side}"><b>{escape(point.title)}</b>{lines}</span>'
        style = f'style="left:{middle - 50 / count:.2f}%;width:{100 / count:.2f}%"'
        # Reached by the mouse only: the table below holds the same links for the keyboard.
        zone = (
            link(inner, point.target, css="zona", attributes=f'tabindex="-1" {style}')
            if point.target
            else f'<span class="zona" {style}>{inner}</span>'
        )
        zones.append(zone)
    return "".join(zones)


def sparse(count: int, most: int = 8) -> Callable[[int], bool]:
    """Which of many places get a text: evenly spread ones, the first among them."""
    step = max(1, math.ceil(count / most))
    return lambda index: index % step == 0


@dataclass(frozen=True)
class Step:
    """A part of a bridge.

    Attributes:
        label: Its name.
        value: How much it adds; of a total, its level.
        text: The value as it is written.
        total: Whether it stands on zero.
    """

    label: str
    value: float
    text: str
    total: bool = False


def bridge(steps: Sequence[Step], label: str) -> str:
    """From one total to the other by what added and took away, as lying bars from zero."""
    spans, level = [], 0.0
    for step in steps:
        start, level = (0.0, step.value) if step.total else (level, level + step.value)
        spans.append((min(start, level), max(start, level)))
    totals = [step.value for step in steps if step.total]
    # Totals are far larger than what changed: the axis begins shortly below the lowest point.
    low, high = min(s for s, _ in spans if s > 0 or not totals), max(e for _, e in spans)
    low = min([low, *totals])
    base = max(0.0, low - (high - low) * 0.6)
    width = (high - base) or 1.0
    rows = []
    for step, (start, end) in zip(steps, spans, strict=True):
        start = base if step.total else start
        mood = "total" if step.total else "bien" if step.value >= 0 else "mal"
        left, size = 100 * (start - base) / width, 100 * (end - start) / width
        rows.append(
            f'<li><span class="nombre">{escape(step.label)}</span>'
            f'<span class="via" aria-hidden="true"><span class="tramo {mood}" '
            f'style="left:{left:.2f}%;width:{max(size, 0.4):.2f}%"></span></span>'
            f'<span class="monto">{escape(step.text)}</span></li>'
        )
    return f'<ol class="puente" aria-label="{escape(label)}">{"".join(rows)}</ol>'


def movers(rows: Sequence[tuple[str, float, str, Target | None]], label: str) -> str:
    """Contributions to a change: bars to the right and to the left of zero.

    Args:
        rows: Name, value, value as written, what a click shows.
        label: What it shows.
    """
    largest = max((abs(value) for _, value, _, _ in rows), default=1) or 1
    items = []
    for name, value, text, target in rows:
        size = 50 * abs(value) / largest
        side = f"left:50%;width:{size:.1f}%" if value >= 0 else f"right:50%;width:{size:.1f}%"
        shown = link(escape(name), target) if target else escape(name)
        items.append(
            f'<li><span class="nombre">{shown}</span><span class="via centro" aria-hidden="true">'
            f'<span class="tramo {"bien" if value >= 0 else "mal"}" style="{side}"></span></span>'
            f'<span class="monto">{escape(text)}</span></li>'
        )
    return f'<ol class="puente" aria-label="{escape(label)}">{"".join(items)}</ol>'
