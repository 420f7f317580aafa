"""The entity-relationship diagram, from the contracts that dbt enforces on the tables.

The contracts are read from dbt's manifest; a test compares them with PostgreSQL's catalog, so the
diagram shows what stands in the database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from retail_platform.errors import UserError

PAGE, IMAGE = "erd.md", "img/erd"
SCHEMA = "retail"


@dataclass(frozen=True)
class ForeignKey:
    """A column that names a row of another table."""

    column: str
    table: str
    to_column: str


@dataclass(frozen=True)
class Table:
    """A table of schema ``retail``.

    Attributes:
        name: Its name.
        grain: What one row is.
        columns: Column -> type.
        primary_key: Its columns.
        unique: Columns that are unique by themselves.
        foreign_keys: References to other tables.
        partitioned_by: Column whose month divides it; none for a plain table.
    """

    name: str
    grain: str
    columns: Mapping[str, str]
    primary_key: tuple[str, ...]
    unique: frozenset[str]
    foreign_keys: tuple[ForeignKey, ...]
    partitioned_by: str | None

    def marks(self, column: str) -> str:
        """PK, FK and UK of a column, as Mermaid writes them."""
        references = {key.column for key in self.foreign_keys}
        found = [
            mark
            for mark, columns in (
                ("PK", self.primary_key),
                ("FK", references),
                ("UK", self.unique),
            )
            if column in columns
        ]
        return ", ".join(found)


def read_tables(manifest: Path) -> list[Table]:
    """The tables of schema ``retail``: what models keep, without views.

    Args:
        manifest: dbt's manifest.json.

    Returns:
        Dimensions first, then facts, then aggregates, each by name.

    Raises:
        UserError: If there is no manifest.
    """
    if not manifest.is_file():
        raise UserError(f"{manifest} does not exist: run `dbt parse` first")
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    tables = [
        _table(node)
        for node in nodes
        if node["resource_type"] in ("model", "snapshot")
        and node["config"]["materialized"] in ("upsert", "partitioned", "snapshot")
        and node["schema"] == SCHEMA
    ]
    kinds = ("dim", "ref", "fact", "agg")
    # What has no prefix comes last.
    rank = {kind: place for place, kind in enumerate(kinds)}
    return sorted(
        tables, key=lambda table: (rank.get(table.name.split("_")[0], len(kinds)), table.name)
    )


def _table(node: Mapping[str, Any]) -> Table:
    # dbt keeps no constraints of a snapshot; its unique_key is made the primary key.
    constraints = node.get("constraints") or [
        {"type": "primary_key", "columns": node["config"].get("unique_key") or []}
    ]

    def of_type(kind: str) -> list[Mapping[str, Any]]:
        return [item for item in constraints if item["type"] == kind]

    partition_by = node["config"].get("partition_by") or {"fields": [None]}
    return Table(
        name=node["alias"],
        grain=node["description"].rsplit("Grain: ", 1)[-1].strip().rstrip("."),
        columns={column["name"]: column["data_type"] for column in node["columns"].values()},
        primary_key=tuple(column for item in of_type("primary_key") for column in item["columns"]),
        unique=frozenset(
            item["columns"][0] for item in of_type("unique") if len(item["columns"]) == 1
        ),
        foreign_keys=tuple(
            ForeignKey(item["columns"][0], _referenced(item["to"]), item["to_columns"][0])
            for item in of_type("foreign_key")
        ),
        partitioned_by=partition_by["fields"][0],
    )


def _referenced(to: str) -> str:
    """``ref('dim_tienda')``, or a relation that dbt has already put in its place -> dim_tienda."""
    return re.findall(r"\w+", to)[-1]


def to_page(tables: Sequence[Table]) -> str:
    """The page: the star in Mermaid, and the grain and key of every table.

    Args:
        tables: From `read_tables`.
    """
    star = _star(tables)
    lines = ["```mermaid", "erDiagram"]
    for table in star:
        lines += [
            f'    {key.table} ||--o{{ {table.name} : "{key.column}"' for key in table.foreign_keys
        ]
    for table in star:
        lines.append(f"    {table.name} {{")
        lines += [
            f"        {_mermaid_type(data_type)} {column} {table.marks(column)}".rstrip()
            for column, data_type in table.columns.items()
        ]
        lines.append("    }")
    lines.append("```")
    rows = [
        f"| {table.name} | {table.grain} | {', '.join(table.primary_key)} | "
        f"{f'month of {table.partitioned_by}' if table.partitioned_by else ''} |"
        for table in tables
    ]
    return "\n".join(
        [
            "# Entity-relationship diagram",
            "",
            "Written by `make erd` from the contracts of the models; do not edit it. A",
            "test compares it with the contracts and with the catalog of a built database.",
            "",
            f'<picture><source media="(prefers-color-scheme: dark)" srcset="{IMAGE}-dark.svg">'
            f'<img alt="The star: facts and their dimensions" src="{IMAGE}-light.svg"></picture>',
            "",
            *lines,
            "",
            "## Tables",
            "",
            "| table | one row is | primary key | partitioned by |",
            "|---|---|---|---|",
            *rows,
            "",
            "Aggregates hold sums of `fact_ventas` and refer to the same stores and products;",
            "they have no foreign keys, because their rows come from rows that have.",
            "",
        ]
    )


def _star(tables: Sequence[Table]) -> list[Table]:
    """Facts, dimensions, and what else takes part in a reference."""
    referenced = {key.table for table in tables for key in table.foreign_keys}
    return [table for table in tables if table.foreign_keys or table.name in referenced]


def _mermaid_type(data_type: str) -> str:
    """Mermaid takes one word without commas."""
    return re.sub(r"\W+", "_", data_type).strip("_")


def write_page(manifest: Path, folder: Path) -> list[Path]:
    """Write the page and its pictures.

    Args:
        manifest: Of dbt.
        folder: The documents' folder.

    Returns:
        The files written.
    """
    tables = read_tables(manifest)
    page = folder / PAGE
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(to_page(tables), encoding="utf-8")
    return [page, *draw(tables, folder)]


def draw(tables: Sequence[Table], folder: Path) -> list[Path]:
    """The star as a picture, for light and dark pages: facts in the middle.

    Args:
        tables: From `read_tables`.
        folder: Of the page.

    Returns:
        The SVG files.
    """
    star = _star(tables)
    facts = [table for table in star if table.name.startswith("fact_")]
    others = [table for table in star if table not in facts]
    # The calendar is the first: it alone on the left, what belongs to products and stores right.
    columns = [others[:1], facts, others[1:]]
    paths = []
    for theme, (ink, faint, fill) in {
        "light": ("#1f2328", "#818b98", "#f6f8fa"),
        "dark": ("#e6edf3", "#9198a1", "#151b23"),
    }.items():
        style: Any = {"svg.hashsalt": "erd", "svg.fonttype": "none", "text.color": ink}
        with plt.rc_context(style):
            height = max(sum(len(table.columns) + 3 for table in column) for column in columns)
            figure, axes = plt.subplots(figsize=(11, 0.2 * height))
            axes.set(xlim=(0, 3), ylim=(height, 0))
            axes.axis("off")
            figure.subplots_adjust(left=0, right=1, bottom=0, top=1)
            places = _boxes(axes, columns, height, (ink, faint, fill))
            _references(axes, star, places, faint)
            path = folder / f"{IMAGE}-{theme}.svg"
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, transparent=True, metadata={"Date": None})
            plt.close(figure)
            paths.append(path)
    return paths


Places = dict[tuple[str, str], tuple[float, float, float]]


def _boxes(
    axes: Axes, columns: Sequence[Sequence[Table]], height: float, colours: tuple[str, str, str]
) -> Places:
    """Draw the tables; where each column's row is: left edge, right edge, height."""
    ink, faint, fill = colours
    places: Places = {}
    for index, column in enumerate(columns):
        left, right = index + 0.1, index + 0.9
        taken = sum(len(table.columns) + 1 for table in column)
        gap = (height - taken) / (len(column) + 1)
        top = gap
        for table in column:
            size = len(table.columns) + 1
            shape = FancyBboxPatch(
                *((left, top), right - left, size),
                boxstyle="round,pad=0,rounding_size=0.03",
                mutation_aspect=0.2 * 3 * 10,
                facecolor=fill,
                edgecolor=faint,
            )
            axes.add_patch(shape)
            middle = (left + right) / 2
            axes.text(middle, top + 0.5, table.name, ha="center", va="center", weight="bold")
            for row, (name, data_type) in enumerate(table.columns.items(), start=1):
                y = top + row + 0.5
                axes.text(left + 0.13, y, name, va="center", fontsize=8)
                axes.text(
                    right - 0.02, y, data_type, va="center", ha="right", fontsize=7, color=faint
                )
                axes.text(left + 0.01, y, table.marks(name), va="center", fontsize=6, color=faint)
                places[table.name, name] = (left, right, y)
            axes.plot([left, right], [top + 1, top + 1], color=faint, linewidth=0.8)
            top += size + gap
    return places


def _references(axes: Axes, tables: Sequence[Table], places: Places, colour: str) -> None:
    """Draw each foreign key, from the referring column to the key it names."""
    for table in tables:
        for key in table.foreign_keys:
            left, right, y = places[table.name, key.column]
            to_left, to_right, to_y = places[key.table, key.to_column]
            begin, end = (left, to_right) if to_right < left else (right, to_left)
            if to_left == left:
                begin = end = right
            axes.annotate(
                "",
                xy=(end, to_y),
                xytext=(begin, y),
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": colour,
                    "linewidth": 0.8,
                    "connectionstyle": "arc3,rad=0.12" if begin == end else "arc3,rad=0",
                },
            )
