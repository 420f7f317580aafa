"""Compares a copy with the database: files with the manifest, their rows with PostgreSQL's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg2 import sql
from psycopg2.extensions import connection

from retail_platform.export.catalog import Part, Relation, read_relations
from retail_platform.export.exporting import snapshot
from retail_platform.export.manifest import FileEntry, Manifest, is_archived, read_manifest
from retail_platform.export.stores import Store
from retail_platform.export.transfer import Totals, encode, totals_of


@dataclass
class Findings:
    """What a check found.

    Attributes:
        lines: For people.
        good: Whether the copy holds what the database does.
    """

    lines: list[str] = field(default_factory=list)
    good: bool = True

    def wrong(self, line: str) -> None:
        """Note a difference."""
        self.lines.append(line)
        self.good = False


def check(parameters: Mapping[str, str], store: Store) -> Findings:
    """Check a copy.

    Every file is read: its hash, its rows and the sums of its numbers are compared with the
    manifest, and the rows and sums with those that PostgreSQL computes, all in one snapshot. Where
    the version does not tell that nothing changed, every value is compared.

    Args:
        parameters: libpq's.
        store: The place of the copy.

    Raises:
        UserError: There is no copy, or no database.
    """
    manifest = read_manifest(store, required=True)
    findings = Findings()
    with snapshot(parameters, manifest["schema"]) as (session, _):
        relations = read_relations(session, manifest["schema"])
        for relation in relations:
            if relation.definition is None:
                _check_relation(session, store, manifest, relation, findings)
            else:
                _check_view(manifest, relation, findings)
    for kind, is_view in (("relations", False), ("views", True)):
        held = {item.name for item in relations if (item.definition is not None) == is_view}
        for name in sorted(manifest[kind].keys() - held):
            findings.wrong(f"{name}: in the copy, no longer in the database as it was")
    if findings.good:
        count = sum(len(relation["files"]) for relation in manifest["relations"].values())
        findings.lines.append(
            f"{store.shown} holds what the database does: {len(manifest['relations'])} relations, "
            f"{count} files, rows and sums equal"
        )
    else:
        findings.lines.append("bring it up to date: delete a damaged file, then retail export")
    return findings


def _check_relation(
    session: connection, store: Store, manifest: Manifest, relation: Relation, findings: Findings
) -> None:
    copied = manifest["relations"].get(relation.name)
    if copied is None:
        findings.wrong(f"{relation.name}: not in the copy")
        return
    if copied["shape"] != relation.shape:
        findings.wrong(f"{relation.name}: its columns changed since it was copied")
        return
    entries = {entry["period"]: entry for entry in copied["files"]}
    for part in relation.parts:
        label = " ".join(filter(None, [relation.name, part.period]))
        entry = entries.pop(part.period, None)
        problem = _problem(session, store, relation, part, entry)
        if problem:
            findings.wrong(f"{label}: {problem}")
    archived = [entry for entry in entries.values() if is_archived(relation, entry)]
    for entry in entries.values():
        gone = "in the copy, no longer in the database"
        if problem := _read(store, entry)[1] if entry in archived else gone:
            findings.wrong(f"{relation.name} {entry['period']}: {problem}")
    if archived:
        findings.lines.append(f"{relation.name}: {len(archived)} archived, not compared")


def _check_view(manifest: Manifest, relation: Relation, findings: Findings) -> None:
    copied = manifest["views"].get(relation.name)
    if copied is None:
        findings.wrong(f"{relation.name}: not in the copy as a view")
    elif copied["definition"] != relation.definition:
        findings.wrong(f"{relation.name}: its SELECT changed since it was copied")


def _problem(
    session: connection,
    store: Store,
    relation: Relation,
    part: Part,
    entry: FileEntry | None,
) -> str | None:
    if entry is None:
        return "not in the copy"
    content, problem = _read(store, entry)
    if content is None:
        return problem
    rows = pq.read_table(pa.BufferReader(content))
    copied = (len(rows), _numbers(totals_of(rows, relation)))
    if copied != (entry["rows"], _numbers(entry["totals"])):
        return "the manifest tells other rows or sums than the file holds"
    same_version = part.version is not None and entry["version"] == part.version
    published = _published(session, relation, part)
    if copied != published:
        stale = "" if same_version else ", of an older version"
        return f"{copied[0]:,} rows in the copy{stale}, {published[0]:,} in the database" + (
            ", sums differ" if copied[0] == published[0] else ""
        )
    return None if same_version else _difference(session, relation, part, entry, rows)


def _read(store: Store, entry: FileEntry) -> tuple[bytes | None, str | None]:
    """A file's content, or what is wrong with it."""
    content = store.read(entry["path"])
    if content is None:
        return None, f"{entry['path']} is missing"
    if len(content) != entry["bytes"] or sha256(content).hexdigest() != entry["sha256"]:
        return None, f"{entry['path']} is damaged: not the bytes that the manifest tells"
    return content, None


def _difference(
    session: connection, relation: Relation, part: Part, entry: FileEntry, rows: pa.Table
) -> str | None:
    """What rows and sums do not tell: texts, days, approximate numbers."""
    encoded = encode(session, relation, part)
    if encoded.sha256 == entry["sha256"]:
        return None
    # Another version of pyarrow writes the same values into other bytes.
    now = pq.read_table(pa.BufferReader(encoded.content))
    changed = [name for name in now.column_names if not now[name].equals(rows[name])]
    return f"other values of {', '.join(changed)} in the database" if changed else None


def _published(
    session: connection, relation: Relation, part: Part
) -> tuple[int, dict[str, Decimal | None]]:
    sums = [sql.SQL("sum({})::numeric").format(sql.Identifier(name)) for name in relation.totals]
    statement = sql.SQL("select {} from {}").format(
        sql.SQL(", ").join([sql.SQL("count(*)"), *sums]), sql.Identifier(part.schema, part.table)
    )
    with session.cursor() as cursor:
        cursor.execute(statement)
        [[count, *values]] = cursor.fetchall()
    return count, dict(zip(relation.totals, values, strict=True))


def _numbers(totals: Totals) -> dict[str, Decimal | None]:
    return {name: None if text is None else Decimal(text) for name, text in totals.items()}
