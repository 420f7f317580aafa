"""The manifest of a copy: the one file that says which files are the copy, and what is in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from retail_platform.errors import UserError
from retail_platform.export.catalog import LAYOUT, PERIOD, Part, Relation
from retail_platform.export.stores import Store
from retail_platform.export.transfer import Encoded

MANIFEST = "manifest.json"
KIND = "retail open copy"

Manifest = dict[str, Any]
FileEntry = dict[str, Any]
"""``path, period, lower, upper, version, rows, bytes, sha256, totals`` of a file; ``archived`` if
its partition was taken out of PostgreSQL."""

_ENTRY = {"path", "period", "lower", "upper", "version", "rows", "bytes", "sha256", "totals"}
_DESCRIBED = {"comment", "columns", "keys"}
_VIEW = _DESCRIBED | {"definition"}
_RELATION = _DESCRIBED | {"shape", "sorted_by", "partitioned_by", "files"}


@dataclass(frozen=True)
class Plan:
    """What an export has to do.

    Attributes:
        write: Parts to read and to write.
        keep: (relation, period) -> file that stays as it is.
        told: What a person should know: columns that changed, what is gone or archived.
    """

    write: list[tuple[Relation, Part]]
    keep: dict[tuple[str, str | None], FileEntry]
    told: list[str]


def read_manifest(store: Store, *, required: bool = False) -> Manifest:
    """The manifest of a place, empty if there is no copy yet.

    Args:
        store: The place.
        required: Whether a copy has to be there.

    Raises:
        UserError: What stands there is none of ours, or nothing although it is required.
    """
    content = store.read(MANIFEST)
    if content is None and required:
        raise UserError(f"There is no copy at {store.shown}. Make one: retail export --to ...")
    return parse_manifest(content, store.address(MANIFEST)) if content is not None else {}


def parse_manifest(content: bytes, name: str) -> Manifest:
    """Read a manifest's text.

    Args:
        content: The file.
        name: What messages call it.

    Raises:
        UserError: It is none, or of a later version of this program.
    """
    try:
        manifest = json.loads(content)
    except ValueError:
        manifest = None
    is_one = isinstance(manifest, dict) and manifest.get("kind") == KIND
    layout = manifest.get("layout") if is_one else None
    if isinstance(layout, int) and layout > LAYOUT:
        raise UserError(
            f"{name} was written by a later version of this program (layout {layout}, this one "
            f"knows up to {LAYOUT}). Use that version."
        )
    if not is_one or not _is_whole(manifest):
        raise UserError(
            f"{name} is not the manifest of a copy. Give a place that holds nothing else; if it is "
            "a damaged one, delete it and export: files that are there are used again."
        )
    return manifest


def _is_whole(manifest: Manifest) -> bool:
    """Whether everything is there that is read from a manifest."""
    try:
        relations = list(manifest["relations"].values())
        entries = [entry for relation in relations for entry in relation["files"]]
        return (
            isinstance(manifest["layout"], int)
            and isinstance(manifest["schema"], str)
            and {"name", "system"} <= manifest["database"].keys()
            and all(_RELATION <= relation.keys() for relation in relations)
            and all(_ENTRY <= entry.keys() for entry in entries)
            and all(_VIEW <= view.keys() for view in manifest["views"].values())
            and isinstance(manifest.get("superseded", {}), dict)
        )
    except (KeyError, TypeError, AttributeError):
        return False


def files_of(manifest: Manifest) -> dict[str, FileEntry]:
    """Path -> entry of all files of a copy."""
    return {
        entry["path"]: entry
        for relation in manifest.get("relations", {}).values()
        for entry in relation["files"]
    }


def make_plan(
    relations: Iterable[Relation],
    previous: Manifest,
    present: Mapping[str, int],
    *,
    forget_archived: bool = False,
) -> Plan:
    """Compare what is published with what was copied.

    Args:
        relations: From the catalog.
        previous: The manifest of the copy, or an empty one.
        present: Path -> bytes of the files that are there.
        forget_archived: Whether files go whose partition was archived.

    Raises:
        UserError: Files that nothing can write again have other columns than their relation.
    """
    plan = Plan([], {}, [])
    known = previous.get("relations", {})
    names = set()
    for relation in relations:
        if relation.definition is not None:
            continue
        names.add(relation.name)
        before = known.get(relation.name, {"files": [], "shape": relation.shape, "columns": []})
        if before["shape"] != relation.shape:
            plan.told.append(_difference(relation, before["columns"]))
        entries = {entry["period"]: entry for entry in before["files"]}
        _without_partition(plan, relation, before, present, forget_archived)
        for part in relation.parts:
            entry = entries.get(part.period)
            if (
                entry
                and before["shape"] == relation.shape
                and part.version is not None
                and entry["version"] == part.version
                and present.get(entry["path"]) == entry["bytes"]
            ):
                plan.keep[relation.name, part.period] = _without_mark(entry)
            else:
                plan.write.append((relation, part))
    plan.told.extend(
        f"{name} is no longer published: its files go" for name in sorted(known.keys() - names)
    )
    return plan


def _without_partition(
    plan: Plan,
    relation: Relation,
    before: Manifest,
    present: Mapping[str, int],
    forget_archived: bool,
) -> None:
    """Keep what pg_lifecycle took out of PostgreSQL; tell what else has no partition any more."""
    periods = {part.period for part in relation.parts}
    without = [entry for entry in before["files"] if entry["period"] not in periods]
    archived = [] if forget_archived else [e for e in without if is_archived(relation, e)]
    columns = [(column.name, column.type) for column in relation.columns]
    if archived and columns != [(told["name"], told["type"]) for told in before["columns"]]:
        raise UserError(
            f"{_difference(relation, before['columns'])}, but PostgreSQL no longer has "
            f"{_listed(archived)}. Attach these partitions again, or let their files go from the "
            "copy: --forget-archived."
        )
    for entry in archived:
        plan.keep[relation.name, entry["period"]] = entry | {"archived": True}
    if new := [entry for entry in archived if not entry.get("archived")]:
        plan.told.append(f"{relation.name}: archived, kept in the copy: {_listed(new)}")
    if lost := [entry for entry in archived if present.get(entry["path"]) != entry["bytes"]]:
        plan.told.append(
            f"{relation.name}: archived, and its files are lost: {_listed(lost)}. Bring them back, "
            "attach the partitions, or --forget-archived"
        )
    if gone := [entry for entry in without if entry not in archived and entry["period"]]:
        plan.told.append(f"{relation.name}: no longer published, their files go: {_listed(gone)}")


def is_archived(relation: Relation, entry: FileEntry) -> bool:
    """Whether pg_lifecycle took a file's partition out of PostgreSQL."""
    return bool(
        relation.retained_from and entry["upper"] and entry["upper"][:10] <= relation.retained_from
    )


def _without_mark(entry: FileEntry) -> FileEntry:
    """An entry whose partition is there, again or still."""
    return {key: value for key, value in entry.items() if key != "archived"}


def _listed(entries: list[FileEntry]) -> str:
    periods = sorted(entry["period"] for entry in entries)
    return ", ".join(periods[:12]) + " ..." * (len(periods) > 12)


def _difference(relation: Relation, before: list[Mapping[str, Any]]) -> str:
    """What changed about a relation's columns, in words."""
    old = {column["name"]: column["type"] for column in before}
    new = {column.name: column.type for column in relation.columns}
    changes = [
        *(f"new {name} {new[name]}" for name in new if name not in old),
        *(f"gone {name}" for name in old if name not in new),
        *(
            f"{name} {old[name]} -> {new[name]}"
            for name in new
            if old.get(name, new[name]) != new[name]
        ),
    ]
    return (
        f"{relation.name} changed its columns ({', '.join(changes) or 'their order, or its key'}): "
        f"all {len(relation.parts)} of its files are written again"
    )


def path_of(schema: str, part: Part, encoded: Encoded) -> str:
    """Where a file goes: Hive folders by period, and a name that its content decides."""
    folder = [schema, part.relation] + ([f"{PERIOD}={part.period}"] if part.period else [])
    label = "-".join(filter(None, [part.relation, part.period, encoded.sha256[:16]]))
    return "/".join([*folder, f"{label}.parquet"])


def entry_of(schema: str, part: Part, encoded: Encoded) -> FileEntry:
    """What the manifest says of a file."""
    return {
        "path": path_of(schema, part, encoded),
        "period": part.period,
        "lower": part.lower,
        "upper": part.upper,
        "version": part.version,
        "rows": encoded.rows,
        "bytes": len(encoded.content),
        "sha256": encoded.sha256,
        "totals": dict(encoded.totals),
    }


def make_manifest(
    schema: str,
    database: Mapping[str, str],
    relations: Iterable[Relation],
    entries: Mapping[tuple[str, str | None], FileEntry],
    superseded: Mapping[str, str],
) -> Manifest:
    """Put a manifest together.

    Args:
        schema: That was copied.
        database: What tells the database from others.
        relations: From the catalog.
        entries: (relation, period) -> file.
        superseded: Path -> since when a file is no longer part of the copy.
    """
    return {
        "kind": KIND,
        "layout": LAYOUT,
        "schema": schema,
        "database": dict(database),
        "relations": {
            relation.name: _described(relation)
            | {
                "shape": relation.shape,
                "sorted_by": relation.sort_keys,
                "partitioned_by": relation.partitioned_by,
                "files": sorted(
                    (entry for (name, _), entry in entries.items() if name == relation.name),
                    key=lambda entry: entry["period"] or "",
                ),
            }
            for relation in relations
            if relation.definition is None
        },
        "views": {
            relation.name: _described(relation) | {"definition": relation.definition}
            for relation in relations
            if relation.definition is not None
        },
        "superseded": dict(sorted(superseded.items())),
    }


def _described(relation: Relation) -> dict[str, Any]:
    return {
        "comment": relation.comment,
        "columns": [
            {key: getattr(column, key) for key in ("name", "type", "nullable", "comment")}
            for column in relation.columns
        ],
        "keys": [
            {
                "kind": key.kind,
                "columns": list(key.columns),
                "to": key.to,
                "to_columns": list(key.to_columns),
            }
            for key in relation.keys
        ],
    }


def supersede(
    previous: Manifest,
    current: Iterable[str],
    orphans: Iterable[str],
    now: datetime,
    grace: timedelta,
) -> tuple[dict[str, str], list[str]]:
    """Decide about the files that are not, or no longer, part of the copy.

    Time is the database's, one clock for all who export; a file whose time lies ahead (that clock
    was set back) waits from now on.

    Args:
        previous: The manifest before.
        current: Paths of the copy as it will be.
        orphans: Files of ours that no manifest knows: of an export that was killed.
        now: The database's time.
        grace: How long readers of an older manifest may go on.

    Returns:
        Path -> since when, of the files that stay for now, and the paths to delete.
    """
    current = set(current)
    since = dict(previous.get("superseded", {}))
    for path in [*files_of(previous), *orphans]:
        since.setdefault(path, now.isoformat())
    waiting, expired = {}, []
    for path, text in since.items():
        if path in current:
            continue
        moment = min(datetime.fromisoformat(text), now)
        if now - moment >= grace:
            expired.append(path)
        else:
            waiting[path] = moment.isoformat()
    return waiting, sorted(expired)


def to_text(manifest: Manifest) -> bytes:
    """The file's text: a line for each value, so that two of them can be compared."""
    return (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode()
