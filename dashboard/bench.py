"""Measures the dashboard on a built database: `make bench-dashboard`.

What the questions of a page cost in the server, how long a visitor waits, alone and among twenty,
and how much memory the dashboard takes. Needs Chromium (Debian: chromium).
"""

from __future__ import annotations

import argparse
import datetime
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from dashboard.browser import Served, chromium, served
from dashboard.data import Edition, Published, Row, Value, statement
from dashboard.pages import PAGES
from dashboard.periods import DEFAULT, PRESETS, preset
from dashboard.view import FILTERS, View
from retail_platform.errors import UserError, report_user_errors
from retail_platform.postgres.connection import connect
from retail_platform.targets import connection_parameters

VISITORS = 20
PERIODS = [key for key in PRESETS if key != "fechas"]
# Where the bounds are: milliseconds, megabytes.
BOUNDS = {"questions": 150, "interaction": 500, "first page": 3000, "memory": 300}


@dataclass(frozen=True)
class _Noted(Edition):
    """An edition that notes what is asked."""

    asked: dict[str, dict[str, Value]] = field(default_factory=dict)

    def rows(self, name: str, **parameters: Value) -> list[Row]:
        self.asked[f"{name} {sorted(parameters.items())}"] = {"": name, **parameters}
        return super().rows(name, **parameters)


def questions(target: str, repeats: int) -> Iterator[tuple[str, str, float, str]]:
    """Milliseconds that the questions of each page take in the server.

    Args:
        target: A target of profiles.yml.
        repeats: How often each is asked; the median counts.

    Yields:
        Page, period, milliseconds together, the dearest question.
    """
    parameters = connection_parameters(target)
    with closing(Published(target)) as published, closing(connect(parameters)) as session:
        session.set_session(readonly=True, autocommit=True)
        edition = published.edition()
        cutoff = edition.rows("datos")[0]["fecha_corte"]
        for key, page in PAGES.items():
            for period in PERIODS if page.dated else PERIODS[:1]:
                noted = _Noted(published, edition.version)
                view = _view(key, noted, cutoff, period)
                view.freshness(), page.build(view), view.dictionary()
                costs = {
                    str(asked[""]): statistics.median(
                        _in_server(session, asked) for _ in range(repeats)
                    )
                    for asked in noted.asked.values()
                }
                dearest = max(costs, key=lambda name: costs[name])
                note = f"{dearest} {costs[dearest]:.0f}"
                yield page.title, period if page.dated else "", sum(costs.values()), note


def _view(key: str, edition: Edition, cutoff: datetime.date, period: str) -> View:
    options = {
        name: [row["valor"] for row in edition.rows("opciones") if row["filtro"] == name]
        for name in FILTERS
    }
    nothing: dict[str, list[str]] = {name: [] for name in FILTERS}
    return View(key, edition, cutoff, preset(period, cutoff), nothing, options)


def _in_server(session: Any, asked: dict[str, Value]) -> float:
    """Planning and execution of a statement, in milliseconds."""
    with session.cursor() as cursor:
        # Without the clock of each node, which costs more than some of them.
        explain = "explain (analyze, timing off, format json) "
        cursor.execute(explain + statement(str(asked[""])), asked)
        [plan] = cursor.fetchone()[0]
    return float(plan["Planning Time"] + plan["Execution Time"])


def _choose(page: Page, label: str) -> float:
    """Click a period and wait for the page that it makes, in milliseconds."""
    before = page.locator(".antetitulo").inner_text()
    begun = time.perf_counter()
    page.get_by_text(label, exact=True).first.click(no_wait_after=True)
    _wait_for_change(page, before)
    return 1000 * (time.perf_counter() - begun)


def _wait_for_change(page: Page, before: str) -> None:
    page.wait_for_function(
        "before => document.querySelector('.antetitulo')?.innerText !== before",
        arg=before,
        polling="raf",
        timeout=60_000,
    )


def changing(keys: Iterable[str], cutoff: datetime.date) -> list[str]:
    """Periods of other days than the one before: a click on the same days changes nothing to see.

    Args:
        keys: Of `PRESETS`, in the order of the clicks; a page begins with `DEFAULT`.
        cutoff: Last day of the data: on a Monday, the day before and the week are the same.
    """
    found, shown = [], preset(DEFAULT, cutoff).text
    for key in keys:
        if preset(key, cutoff).text != shown:
            found.append(key)
            shown = preset(key, cutoff).text
    return found


def alone(browser: Browser, dashboard: Served, cutoff: datetime.date) -> list[float]:
    """Each interaction of one visitor: all periods of all pages, none asked before."""
    waited = []
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    for key, what in PAGES.items():
        if what.dated:
            page.goto(f"{dashboard.address}/{key}")
            page.wait_for_selector(".bloque h1")
            others = [period for period in PERIODS if period != DEFAULT]
            waited += [_choose(page, PRESETS[period]) for period in changing(others, cutoff)]
    page.close()
    return waited


def together(browser: Browser, dashboard: Served, cutoff: datetime.date) -> list[float]:
    """The same of twenty visitors who click at once; an error ends it."""
    visitors = [browser.new_page() for _ in range(VISITORS)]
    for number, visitor in enumerate(visitors):
        visitor.goto(f"{dashboard.address}/{list(PAGES)[number % 4]}", wait_until="commit")
    for visitor in visitors:
        visitor.wait_for_selector(".bloque h1", timeout=120_000)
    waited = []
    for period in changing(("7d", "mes", "91d", "anno"), cutoff):
        befores = [visitor.locator(".antetitulo").inner_text() for visitor in visitors]
        begun = time.perf_counter()
        for visitor in visitors:
            visitor.get_by_text(PRESETS[period], exact=True).first.click(no_wait_after=True)
        for visitor, before in zip(visitors, befores, strict=True):
            _wait_for_change(visitor, before)
            waited.append(1000 * (time.perf_counter() - begun))
            if visitor.locator(".aviso").count():
                raise UserError(f"A visitor got: {visitor.locator('.aviso').inner_text()}")
    for visitor in visitors:
        visitor.close()
    return waited


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


def _memory(pid: int) -> float:
    """The most memory that the process had so far, in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [text for text in status.splitlines() if text.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def _line(name: str, value: float, unit: str, bound: float | None = None, note: str = "") -> None:
    limit = f"of {bound:>5,.0f} {unit}" if bound else " " * 12
    mark = "" if not bound or value < bound else "  ABOVE"
    print(f"{name:<44} {value:>7,.0f} {unit} {limit}{mark}  {note}", flush=True)


def _run(argv: Sequence[str] | None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="local")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(argv)
    for page, period, cost, note in questions(options.target, options.repeats):
        name = f"{page}, {PRESETS[period]}" if period else page
        _line(name, cost, "ms", BOUNDS["questions"], note)
    with closing(Published(options.target)) as published:
        cutoff = published.edition().rows("datos")[0]["fecha_corte"]
    with chromium() as browser:
        begun = time.perf_counter()
        with served(options.target) as dashboard:
            first = browser.new_page()
            first.goto(dashboard.address)
            first.wait_for_selector(".bloque h1", timeout=60_000)
            started = 1000 * (time.perf_counter() - begun)
            first.close()
            _line("first page after the start", started, "ms", BOUNDS["first page"])
            one = alone(browser, dashboard, cutoff)
            _line("interaction, median", statistics.median(one), "ms")
            _line("interaction, p95", _p95(one), "ms", BOUNDS["interaction"])
            _line("memory, one visitor", _memory(dashboard.pid), "MB", BOUNDS["memory"])
            many = together(browser, dashboard, cutoff)
            _line(f"interaction of {VISITORS} at once, median", statistics.median(many), "ms")
            _line(f"interaction of {VISITORS} at once, p95", _p95(many), "ms")
            _line(f"memory, {VISITORS} visitors", _memory(dashboard.pid), "MB", BOUNDS["memory"])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    return report_user_errors(lambda: _run(argv))


if __name__ == "__main__":
    sys.exit(main())
