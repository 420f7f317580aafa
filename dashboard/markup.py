"""HTML of the pages: tables, figures with their change, notes. Every text is escaped here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlencode

from dashboard import format as fmt
from dashboard.data import Row
from dashboard.definitions import DEFINITIONS

Target = Mapping[str, str]


def link(label: str, target: Target, *, css: str = "", attributes: str = "") -> str:
    """A link that changes what is shown. Its address works by itself, in another tab too.

    Args:
        label: HTML.
        target: What to change: names of the URL's parameters, ``pagina`` for another page.
        css: Classes.
        attributes: Further ones, as HTML.
    """
    page = target.get("pagina", "")
    query = urlencode({key: value for key, value in target.items() if key != "pagina"})
    return (
        f'<a class="{css}" href="{escape(f"./{page}?{query}")}" target="_self"'
        f' data-ir="{escape(json.dumps(dict(target), ensure_ascii=False))}" {attributes}>'
        f"{label}</a>"
    )


def defined(key: str, label: str = "") -> str:
    """A label with the button that opens its definition.

    Args:
        key: Of `DEFINITIONS`.
        label: Its text, by default the definition's own.
    """
    text = label or DEFINITIONS[key].label
    return (
        f'<span class="rotulo">{escape(text)}<button type="button" class="def"'
        f' popovertarget="def-{key}" aria-label="Definición de {escape(text)}">?</button></span>'
    )


def delta(share: fmt.Number | None, against: str = "", *, good: int = 1, text: str = "") -> str:
    """A change with its direction as sign, colour and word.

    Args:
        share: 0.05 for 5 % more.
        against: What it is compared with.
        good: 1 if more is better, -1 if less is better, 0 if neither.
        text: How to write it, by default in percent.
    """
    tail = f' <span class="contra">{escape(against)}</span>' if against else ""
    if share is None:
        return f'<span class="delta nada">sin comparación{tail}</span>'
    shown = text or fmt.percent(share, plus=True)
    if shown.lstrip("+−").strip(" %p0.") == "":
        return f'<span class="delta nada"><b>= {escape(shown)}</b>{tail}</span>'
    up = share > 0
    mood = "nada" if not good else "bien" if up == (good > 0) else "mal"
    sign = "▲" if up else "▼"
    return (
        f'<span class="delta {mood}"><span aria-hidden="true">{sign}</span> '
        f"<b>{escape(shown)}</b>{tail}</span>"
    )


@dataclass(frozen=True)
class Column:
    """A column of a table, on the page and in the files.

    Attributes:
        key: Of the row.
        title: Heading.
        kind: ``text``, ``integer``, ``decimal``, ``money``, ``cents``, ``percent``, ``change``,
            ``date``, ``moment``; says how a value is written, and aligned.
        definition: Key of its definition.
        bar: Whether a bar behind the number shows its size.
        target: What a click on the value shows.
        good: As in `delta`.
        html: Draws the cell in place of the kind.
    """

    key: str
    title: str
    kind: str = "text"
    definition: str = ""
    bar: bool = False
    target: Callable[[Row], Target | None] | None = None
    good: int = 1
    html: Callable[[Row], str] | None = None


@dataclass(frozen=True)
class Table:
    """A table as it is shown and handed out.

    Attributes:
        name: Of its file and sheet.
        title: Its caption.
        columns: Its columns, in order.
        rows: All rows.
        note: A sentence under the title.
        shown: How many rows the page shows; the files hold all.
        sortable: Whether its headings sort it.
        empty: What stands in the place of no rows.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    note: str = ""
    shown: int = 100
    sortable: bool = False
    empty: str = "No hay renglones con esta selección."


_WRITERS: dict[str, Callable[[Any], str]] = {
    "text": lambda value: escape(fmt.NOTHING if value in (None, "") else str(value)),
    "integer": fmt.integer,
    "decimal": fmt.decimal,
    "money": fmt.money,
    "cents": lambda value: fmt.money(value, 2),
    "short": fmt.short_money,
    "percent": fmt.percent,
    "date": fmt.dated,
    "moment": fmt.moment,
}
NUMERIC = ("integer", "decimal", "money", "cents", "short", "percent", "change")


def _cell(column: Column, row: Row, largest: float) -> str:
    value = row.get(column.key)
    if column.html:
        text = column.html(row)
    elif column.kind == "change":
        text = delta(value, good=column.good) if value is not None else fmt.NOTHING
    else:
        text = _WRITERS[column.kind](value)
    if column.target and (target := column.target(row)):
        text = link(text, target)
    if column.bar and value is not None and largest:
        width = abs(float(value)) / largest
        text = f'<span class="barra" style="--w:{width:.3f}"></span>{text}'
    classes = ["num"] if column.kind in NUMERIC else []
    classes += ["fecha"] if column.kind in ("date", "moment") else []
    classes += ["con-barra"] if column.bar else []
    # Numbers are sorted by value, not by how they are written.
    raw = "" if value is None else str(value)
    sort = f' data-v="{escape(raw)}"' if column.kind != "text" else ""
    return f'<td class="{" ".join(classes)}"{sort}>{text}</td>'


def _heading(column: Column, sortable: bool) -> str:
    text = defined(column.definition, column.title) if column.definition else escape(column.title)
    if sortable:
        text += (
            f'<button type="button" class="orden" aria-label="Ordenar por {escape(column.title)}">'
            '<span aria-hidden="true">↕</span></button>'
        )
    css = "num" if column.kind in NUMERIC else ""
    return f'<th scope="col" class="{css}">{text}</th>'


def table(what: Table, *, css: str = "") -> str:
    """A table with caption, scopes and the numbers aligned."""
    head = f'<h2 class="titulo">{escape(what.title)}</h2>' if what.title else ""
    if what.note:
        head += f'<p class="nota">{what.note}</p>'
    if not what.rows:
        empty = f'<p class="vacio">{escape(what.empty)}</p>'
        return f'<section class="pieza {css}">{head}{empty}</section>'
    largest = {
        column.key: max((abs(float(row[column.key] or 0)) for row in what.rows), default=0.0)
        for column in what.columns
        if column.bar
    }
    body = "".join(
        "<tr>"
        + "".join(_cell(column, row, largest.get(column.key, 0.0)) for column in what.columns)
        + "</tr>"
        for row in what.rows[: what.shown]
    )
    more = ""
    if len(what.rows) > what.shown:
        more = (
            f'<p class="nota">Se muestran {what.shown} de {fmt.integer(len(what.rows))} renglones; '
            "la descarga los trae todos.</p>"
        )
    return (
        f'<section class="pieza {css}">{head}<div class="desliza" tabindex="0" role="region" '
        f'aria-label="{escape(what.title)}"><table class="{"ordenable" if what.sortable else ""}">'
        f'<caption class="oculto">{escape(what.title)}</caption><thead><tr>'
        + "".join(_heading(column, what.sortable) for column in what.columns)
        + f"</tr></thead><tbody>{body}</tbody></table></div>{more}</section>"
    )


@dataclass(frozen=True)
class Stat:
    """A figure with its name and what it is compared with.

    Attributes:
        key: Of its definition.
        value: As it is written.
        deltas: HTML of the comparisons.
        detail: HTML of what stands under its name.
        label: Its name, by default the definition's.
    """

    key: str
    value: str
    deltas: Sequence[str] = ()
    detail: str = ""
    label: str = ""


def stat(what: Stat) -> str:
    """One figure."""
    below = "".join(f"<li>{one}</li>" for one in what.deltas)
    return (
        f'<div class="cifra" data-cifra="{what.key}"><dt>{defined(what.key, what.label)}</dt>'
        f'<dd><span class="valor">{escape(what.value)}</span>'
        f'<ul class="deltas">{below}</ul></dd></div>'
    )


def stats(them: Iterable[Stat]) -> str:
    """Figures side by side."""
    return f'<dl class="cifras">{"".join(stat(one) for one in them)}</dl>'


def scoreboard(them: Iterable[Stat], against: Sequence[str], caption: str) -> str:
    """Figures one below the other, each with what it is compared with in columns.

    Args:
        them: The figures, one comparison (HTML, may be empty) for each column.
        against: Headings of the comparisons.
        caption: For who hears it only.
    """
    heads = "".join(f'<th scope="col" class="num">{head}</th>' for head in against)
    rows = "".join(
        f'<tr data-cifra="{one.key}"><th scope="row">{defined(one.key, one.label)}'
        f'{one.detail}</th><td class="num valor">{escape(one.value)}</td>'
        + "".join(f'<td class="num">{cell or fmt.NOTHING}</td>' for cell in one.deltas)
        + "</tr>"
        for one in them
    )
    return (
        f'<table class="marcador"><caption class="oculto">{escape(caption)}</caption><thead><tr>'
        f"<td></td><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def piece(title: str, body: str, *, note: str = "", css: str = "", tools: str = "") -> str:
    """A titled part of a page."""
    below = f'<p class="nota">{note}</p>' if note else ""
    return (
        f'<section class="pieza {css}"><div class="cabeza"><h2 class="titulo">{escape(title)}</h2>'
        f"{tools}</div>{below}{body}</section>"
    )


def tabs(parameter: str, choices: Mapping[str, str], chosen: str, label: str) -> str:
    """Links of which one is chosen: what is drawn, how it is grouped."""
    links = "".join(
        link(
            escape(text),
            {parameter: key},
            css="elegida" if key == chosen else "",
            attributes='aria-current="true"' if key == chosen else "",
        )
        for key, text in choices.items()
    )
    return f'<nav class="fichas" aria-label="{escape(label)}">{links}</nav>'


def grid(*parts: str, css: str = "") -> str:
    """Parts side by side where there is room."""
    return f'<div class="rejilla {css}">{"".join(parts)}</div>'


def notice(title: str, advice: str) -> str:
    """A sentence in the place of what cannot be shown."""
    return f'<div class="aviso" role="status"><h2>{escape(title)}</h2><p>{escape(advice)}</p></div>'


def definitions(used: Iterable[str], dictionary: Mapping[tuple[str, str], str]) -> str:
    """The definitions that the buttons of a page open.

    Args:
        used: Keys of `DEFINITIONS`.
        dictionary: Relation and column -> the text of the data dictionary.
    """
    found = []
    for key in sorted(set(used)):
        what = DEFINITIONS[key]
        text = dictionary.get((what.relation, what.column), "")
        source = (
            f'<p class="fuente">retail.{escape(what.relation)}.<b>{escape(what.column)}</b></p>'
            f'<blockquote lang="en">{escape(text)}</blockquote>'
            if text
            else ""
        )
        found.append(
            f'<div popover id="def-{key}" class="definicion" role="dialog" '
            f'aria-labelledby="deft-{key}">'
            f'<h3 id="deft-{key}">{escape(what.label)}</h3><p>{escape(what.text)}</p>'
            f"{source}"
            f'<button type="button" popovertarget="def-{key}" popovertargetaction="hide">'
            "Cerrar</button>"
            "</div>"
        )
    return "".join(found)
