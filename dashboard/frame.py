"""What every page stands in: what is selected, the address, the filters, the files handed out."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from re import findall
from typing import Any, cast

import streamlit as st

from dashboard import markup
from dashboard.data import NotAvailable, Published
from dashboard.periods import DEFAULT, PRESETS, Period, between, preset
from dashboard.view import FILTERS, View
from retail_platform.reporting import spreadsheets

ASSETS = Path(__file__).with_name("assets")
ICON, LOGO = ASSETS / "icono.png", ASSETS / "marca.svg"

# Between the values of a filter in the address.
SEPARATOR = "~"


@st.cache_resource
def published() -> Published:
    """The published relations, shared by all visitors."""
    return Published(os.environ.get("RETAIL_TARGET", "local"))


@cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


_block = st.components.v2.component(
    "retail_bloque",
    html='<div class="bloque"></div>',
    js=_asset("bloque.js"),
    isolate_styles=False,
)


def show(view: View, *parts: str) -> None:
    """Draw the page, with the definitions that its labels open."""
    html = "".join(parts)
    used = findall(r'popovertarget="def-([a-z0-9_]+)"', html)
    html += markup.definitions(used, view.dictionary())
    _block(data={"html": html}, key=f"bloque_{view.page}", on_ir_change=_follow(view.page))


def state() -> dict[str, Any]:
    """What the visitor selected, as it stands in the address."""
    return cast("dict[str, Any]", st.session_state.setdefault("seleccion", {}))


def _follow(page: str) -> Callable[[], None]:
    """What a followed link does: it changes the selection, or goes to another page."""

    def followed() -> None:
        target = dict(st.session_state[f"bloque_{page}"].get("ir") or {})
        elsewhere = target.pop("pagina", "")
        if elsewhere and elsewhere != page:
            st.session_state["ir_a"] = elsewhere
        apply(target, page=elsewhere or page)

    return followed


def apply(target: Mapping[str, str], *, page: str) -> None:
    """Change the selection.

    Args:
        target: Parameter -> value; an empty one takes the parameter away.
        page: That is shown next: parameters of other pages are dropped.
    """
    selected = state()
    if "desde" in target:
        target = {"periodo": "fechas", **target}
    for key, value in target.items():
        if value:
            selected[key] = value
        else:
            selected.pop(key, None)
    st.session_state["pagina_de_parametros"] = page
    _to_widgets()


def _to_widgets() -> None:
    """Let the filters show what is selected."""
    selected = state()
    st.session_state["w_periodo"] = selected.get("periodo", DEFAULT)
    for key in FILTERS:
        st.session_state[f"w_{key}"] = _listed(selected.get(key))


def _listed(text: str | None) -> list[str]:
    return [part for part in (text or "").split(SEPARATOR) if part]


def _from_widgets() -> None:
    """Take over what the visitor changed in the filters."""
    selected = state()
    selected["periodo"] = st.session_state.get("w_periodo") or selected.get("periodo", DEFAULT)
    if selected["periodo"] != "fechas":
        selected.pop("desde", None)
        selected.pop("hasta", None)
    for key in FILTERS:
        if f"w_{key}" in st.session_state:
            values = st.session_state[f"w_{key}"]
            if values:
                selected[key] = SEPARATOR.join(values)
            else:
                selected.pop(key, None)


def read_address(page: str) -> None:
    """Make the address the selection when somebody opened it, or went back to it."""
    address = dict(st.query_params)
    written = st.session_state.get("direccion")
    if address and address != written:
        st.session_state["seleccion"] = address
        _to_widgets()
    elif written is None:
        _to_widgets()
    # Parameters of a page (a store, a tab) do not follow to the next one.
    owner = st.session_state.setdefault("pagina_de_parametros", page)
    if owner != page:
        general = {"periodo", "desde", "hasta", *FILTERS}
        st.session_state["seleccion"] = {k: v for k, v in state().items() if k in general}
        st.session_state["pagina_de_parametros"] = page


def write_address() -> None:
    """Put the selection into the address, so that it can be kept and sent."""
    shown = {key: value for key, value in state().items() if value}
    if shown.get("periodo") == DEFAULT:
        shown.pop("periodo")
    if dict(st.query_params) != shown:
        st.query_params.from_dict(shown)
    st.session_state["direccion"] = shown


def _dates(first: datetime.date, cutoff: datetime.date) -> Period:
    """The free dates, or what stands in the address."""
    selected = state()
    try:
        start = datetime.date.fromisoformat(selected.get("desde", ""))
        end = datetime.date.fromisoformat(selected.get("hasta", ""))
    except ValueError:
        start, end = preset(DEFAULT, cutoff).start, cutoff
    start, end = max(min(start, end), first), min(max(start, end), cutoff)
    end = max(end, first)
    return between(min(start, cutoff), end)


def _period(first: datetime.date, cutoff: datetime.date) -> Period:
    key = state().get("periodo", DEFAULT)
    if key not in PRESETS:
        key = DEFAULT
    if key != "fechas":
        return preset(key, cutoff)
    return _dates(first, cutoff)


def _free_dates(period: Period, first: datetime.date, cutoff: datetime.date) -> Period:
    """The fields of the free dates."""
    st.session_state.setdefault("w_desde", period.start)
    if (st.session_state["w_desde"], st.session_state.get("w_hasta")) != (period.start, period.end):
        st.session_state["w_desde"], st.session_state["w_hasta"] = period.start, period.end

    def changed() -> None:
        start, end = st.session_state["w_desde"], st.session_state["w_hasta"]
        if start and end:
            state().update(desde=min(start, end).isoformat(), hasta=max(start, end).isoformat())

    limits: dict[str, Any] = {
        "min_value": first,
        "max_value": cutoff,
        "format": "DD/MM/YYYY",
        "on_change": changed,
    }
    st.date_input("Desde", key="w_desde", width=150, **limits)
    st.date_input("Hasta", key="w_hasta", width=150, **limits)
    return period


def _summary(chosen: Mapping[str, list[str]], used: Sequence[str]) -> str:
    names = [name for key in used for name in chosen[key]]
    return f"Filtros: {', '.join(names)}" if names else "Filtros"


def open_page(page: str, filters: Sequence[str], *, dated: bool = True) -> View:
    """Draw the bar of period and filters and say what is selected.

    Args:
        page: Its name in the address.
        filters: Those that the page's numbers can be cut by.
        dated: Whether the page is about a period.
    """
    read_address(page)
    edition = published().edition()
    facts = edition.rows("datos")[0]
    if facts["fecha_corte"] is None:
        raise NotAvailable(
            "El modelo está publicado, pero todavía sin ventas.",
            "Cargue entregas (make load) y construya (make dbt-build).",
        )
    cutoff, first = facts["fecha_corte"], facts["primera_fecha"]
    options: dict[str, list[str]] = {
        key: [row["valor"] for row in edition.rows("opciones") if row["filtro"] == key]
        for key in FILTERS
    }
    # What an old address names and nobody sells any more is no filter.
    for key in FILTERS:
        known = [value for value in _listed(state().get(key)) if value in options[key]]
        state()[key] = SEPARATOR.join(known)
        st.session_state[f"w_{key}"] = known
    period = _period(first, cutoff)
    with st.container(key="barra", horizontal=True, vertical_alignment="bottom", gap="small"):
        if dated:
            st.segmented_control(
                "Periodo",
                list(PRESETS),
                format_func=PRESETS.__getitem__,
                key="w_periodo",
                required=True,
                on_change=_from_widgets,
            )
            if state().get("periodo") == "fechas":
                _free_dates(period, first, cutoff)
        if filters:
            chosen = {key: _listed(state().get(key)) for key in FILTERS}
            with st.popover(_summary(chosen, filters), icon=":material/tune:", key="filtros"):
                for key in filters:
                    st.multiselect(
                        FILTERS[key],
                        options[key],
                        key=f"w_{key}",
                        placeholder="Todas" if key != "formato" else "Todos",
                        on_change=_from_widgets,
                    )
        hand_out = st.container(key="descargas", horizontal=True, gap="small", width="content")
    chosen = {key: _listed(state().get(key)) if key in filters else [] for key in FILTERS}
    view = View(page, edition, cutoff, period, chosen, options, own=dict(state()))
    st.session_state["descargas_en"] = hand_out
    return view


def close_page(view: View) -> None:
    """Hand out what the page shows, and put the selection into the address."""
    write_address()
    name = f"{view.page}_{view.period.start:%Y%m%d}_{view.period.end:%Y%m%d}"
    tables = [table for table in view.tables if table.rows]
    if not tables:
        return
    with st.session_state["descargas_en"], st.popover("Descargar", icon=":material/download:"):
        st.download_button(
            "Todo en Excel (.xlsx)",
            data=lambda: spreadsheets.workbook(tables),
            file_name=f"{name}.xlsx",
            mime=spreadsheets.XLSX,
            on_click="ignore",
            key="xlsx",
            type="primary",
            width="stretch",
        )
        for table in tables:
            st.download_button(
                f"{table.title} (.csv)",
                data=_csv(table),
                file_name=f"{table.name}_{view.period.start:%Y%m%d}_{view.period.end:%Y%m%d}.csv",
                mime="text/csv",
                on_click="ignore",
                key=f"csv_{table.name}",
                width="stretch",
            )


def _csv(table: markup.Table) -> Callable[[], bytes]:
    return lambda: spreadsheets.csv_bytes(table)
