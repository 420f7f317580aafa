"""The page Resumen as one file that needs nothing else: for mail or an intranet."""

from __future__ import annotations

import re
import tomllib
from contextlib import closing
from pathlib import Path

import jinja2

from dashboard import format as fmt
from dashboard import markup, summary
from dashboard.data import NotAvailable, Published
from dashboard.periods import DEFAULT, PRESETS, preset
from dashboard.view import FILTERS, View
from retail_platform.errors import UserError

_HERE = Path(__file__).parent
_USED = re.compile(r'popovertarget="def-([a-z0-9_]+)"')
_LINK = re.compile(r"<a class=\"[^\"]*\" href=\"\./[^>]*>(.*?)</a>", re.S)


def write(target: str, file: Path, *, period: str = DEFAULT, dashboard_url: str = "") -> int:
    """Write the report.

    Args:
        target: A target of profiles.yml.
        file: Where to; its folder is made.
        period: A preset of the dashboard.
        dashboard_url: Where the dashboard is, so that links lead there; without it there are none.

    Returns:
        Its size in bytes.

    Raises:
        UserError: There is nothing to report, or the file cannot be written.
    """
    if period not in PRESETS or period == "fechas":
        known = ", ".join(key for key in PRESETS if key != "fechas")
        raise UserError(f"Unknown period '{period}'. Allowed: {known}.")
    with closing(Published(target)) as published:
        page = _page(published, period, dashboard_url.rstrip("/"))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.write_bytes(page.encode())
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}.") from None


def _page(published: Published, period: str, dashboard_url: str) -> str:
    edition = published.edition()
    [facts] = edition.rows("datos")
    cutoff = facts["fecha_corte"]
    if cutoff is None:
        raise NotAvailable("Todavía no hay ventas publicadas.", "Cargue entregas (make load).")
    options = {
        key: [row["valor"] for row in edition.rows("opciones") if row["filtro"] == key]
        for key in FILTERS
    }
    chosen: dict[str, list[str]] = {key: [] for key in FILTERS}
    view = View("resumen", edition, cutoff, preset(period, cutoff), chosen, options)
    body = "".join(summary.build(view))
    body += markup.definitions(_USED.findall(body), view.dictionary())
    # Links change what the dashboard shows; a file shows what it shows.
    body = (
        body.replace('href="./', f'href="{dashboard_url}/')
        if dashboard_url
        else _LINK.sub(r"<span>\1</span>", body)
    )
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), undefined=jinja2.StrictUndefined, autoescape=False
    )
    return environment.get_template("report.html.j2").render(
        title=f"Resumen de ventas, {fmt.span(view.period.start, view.period.end)}",
        light=_colours("light"),
        dark=_colours("dark"),
        css=(_HERE / "assets" / "tablero.css").read_text(encoding="utf-8"),
        body=body,
    )


def _colours(scheme: str) -> str:
    """The theme's colours as the variables that Streamlit makes of them."""
    theme = tomllib.loads((_HERE / ".streamlit" / "config.toml").read_text())["theme"][scheme]
    named = {
        re.sub(r"(?=[A-Z])", "-", key).lower(): value
        for key, value in theme.items()
        if isinstance(value, str)
    }
    return " ".join(f"--st-{key}: {value};" for key, value in named.items())
