"""What has to be loaded: the manifest of the last load against the one of the copy as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from retail_platform.export.manifest import FileEntry, Manifest
from retail_platform.warehouse.contracts import Contents, Table, View


@dataclass(frozen=True)
class Load:
    """Rows of a table to replace.

    Attributes:
        table: Which.
        files: What is loaded.
        periods: (first day, day after the last) whose rows go first; none: all rows go.
    """

    table: Table
    files: tuple[FileEntry, ...]
    periods: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True)
class Changes:
    """What a warehouse lacks.

    Attributes:
        create: Tables that are new, or whose columns or keys are others.
        loads: Rows to replace, those of `create` included.
        drop: Tables that are gone.
        views: Views to make again.
        drop_views: Views that are gone.
        told: What a person should know.
    """

    create: tuple[Table, ...]
    loads: tuple[Load, ...]
    drop: tuple[str, ...]
    views: tuple[View, ...]
    drop_views: tuple[str, ...]
    told: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """Whether the warehouse is up to date."""
        return not (self.create or self.loads or self.drop or self.views or self.drop_views)


def full_load(contents: Contents) -> Changes:
    """All rows of all tables."""
    loads = tuple(Load(table, table.files) for table in contents.tables)
    return Changes((), loads, (), (), (), ())


def find_changes(contents: Contents, loaded: Manifest, current: Manifest) -> Changes:
    """Compare the last load with the copy.

    Args:
        contents: Of the copy.
        loaded: The manifest that was loaded last.
        current: The manifest of the copy.
    """
    before = loaded["relations"]
    create, loads, told = [], [], []
    for table in contents.tables:
        known = before.get(table.name)
        if known is None or _defined(known) != _defined(current["relations"][table.name]):
            create.append(table)
            loads.append(Load(table, table.files))
            told.append(
                f"{table.name}: {'new' if known is None else 'its columns or keys changed'}"
            )
        elif load := _changed(table, known["files"]):
            loads.append(load)
    drop = tuple(sorted(before.keys() - {table.name for table in contents.tables}))
    return Changes(
        create=tuple(create),
        loads=tuple(loads),
        drop=drop,
        views=tuple(
            view
            for view in contents.views
            # One that reads a table which is made again has to be made again too.
            if create or loaded["views"].get(view.name) != current["views"][view.name]
        ),
        drop_views=tuple(sorted(loaded["views"].keys() - {view.name for view in contents.views})),
        told=(*told, *(f"{name}: no longer published" for name in drop)),
    )


def _defined(relation: Manifest) -> list[Any]:
    """What a table's definition is made of, but for comments."""
    nullable = [(column["name"], column["nullable"]) for column in relation["columns"]]
    return [relation["shape"], nullable, relation["keys"]]


def _is_day(text: str | None) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\d( 00:00:00)?", text or ""))


def _changed(table: Table, before: list[FileEntry]) -> Load | None:
    """Files are named by their content: another name is another content."""
    old = {entry["period"]: entry for entry in before}
    new = {entry["period"]: entry for entry in table.files}
    periods = [
        period
        for period in {**old, **new}
        if old.get(period, {}).get("path") != new.get(period, {}).get("path")
    ]
    if not periods:
        return None
    changed = [old.get(period) or new[period] for period in periods]
    # Rows are deleted by days: not those of lists, hours, or days of another time zone.
    by_days = all(_is_day(entry["lower"]) and _is_day(entry["upper"]) for entry in changed)
    if table.partitioned_by is None or not by_days:
        return Load(table, table.files)
    return Load(
        table,
        tuple(new[period] for period in periods if period in new),
        tuple(sorted((entry["lower"][:10], entry["upper"][:10]) for entry in changed)),
    )
