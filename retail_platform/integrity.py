"""Compares what is published with what a build would make of the same deliveries.

Constraints stop a wrong row, tests compare totals of what changed. A row that somebody changed by
hand in an old month passes both; here each published month is compared with the model's own SQL.
Materialized views are left out: PostgreSQL lets nobody write to one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from retail_platform.errors import UserError
from retail_platform.months import next_month
from retail_platform.project import require_project

NIGHTS = 30
_SAMPLES = 3
# Facts, aggregates and quarantines month by month; dimensions, reference tables and histories of
# attributes as a whole.
_COMPARED = ("partitioned", "upsert", "snapshot")
_SELECTION = tuple(f"config.materialized:{kind}" for kind in _COMPARED)
# What is made of published relations only, and with every build.
_LEFT_OUT = "path:models/marts/reporting"
_FILTER = re.compile(r"\(true /\* partition_filter: (.+?) \*/\)")

# The bounds and versions that the partitions of a relation have, from the catalog.
_PARTITIONS = """
select
    substring(pg_get_expr(c.relpartbound, c.oid) from $$FROM \\('([^']+)'\\)$$)::date,
    substring(pg_get_expr(c.relpartbound, c.oid) from $$TO \\('([^']+)'\\)$$)::date,
    substring(obj_description(c.oid, 'pg_class') from '"version": "([^"]+)"')
from pg_catalog.pg_inherits as i
inner join pg_catalog.pg_class as c on i.inhrelid = c.oid
where i.inhparent = to_regclass(%s)
order by 1
"""
_WHOLE = """
select substring(obj_description(to_regclass(%s), 'pg_class') from '"version": "([^"]+)"')
where to_regclass(%s) is not null
"""
_STAMP = "to_char({} at time zone 'utc', 'YYYYMMDD\"T\"HH24MISSUS')"
_LOADED = f"""
select tabla, mes, {_STAMP.format("actualizada_en")} from staging.versiones_mes
union all
select tabla, null, {_STAMP.format("max(terminada_en)")}
from staging.cargas where estado = 'completa' group by tabla
"""
# Equal when the same rows are there, however often each, in whatever order.
_HASH = "(select count(*) || ':' || coalesce(sum(hashtextextended(r::text, 0)), 0) from ({}) as r)"
_DIFFERENCE = """
with expected as materialized ({expected}), published as materialized ({published}),
missing as (select * from expected except all select * from published),
extra as (select * from published except all select * from expected)
select
    (select count(*) from missing), (select count(*) from extra),
    array(select 'published ' || extra::text from extra order by 1 limit {samples})
    || array(select 'delivered ' || missing::text from missing order by 1 limit {samples})
"""


@dataclass(frozen=True)
class Model:
    """A model whose rows are compared.

    Attributes:
        name: Its name in the project.
        relation: The relation, quoted.
        sql: What dbt compiled.
        columns: Name -> type, of the contract.
        day: The column that the relation is partitioned by; None if it is not.
        keeps_rows: Whether a build leaves rows that its SQL makes no more, as dimensions do,
            because facts refer to them.
        raw_tables: Raw tables that it reads, through staging.
        parents: Names of the partitioned models that it reads.
    """

    name: str
    relation: str
    sql: str
    columns: Mapping[str, str]
    day: str | None
    keeps_rows: bool
    raw_tables: frozenset[str]
    parents: frozenset[str]


@dataclass(frozen=True)
class Part:
    """A month of a partitioned relation, or another relation as a whole.

    Attributes:
        model: Of which model.
        lower: First day; None for a whole relation.
        upper: The day after the last.
        version: When it was published; text that sorts as the time does.
    """

    model: Model
    lower: date | None
    upper: date | None
    version: str

    def __str__(self) -> str:
        """As messages call it."""
        return f"{self.model.name} {self.lower:%Y-%m}" if self.lower else self.model.name


@dataclass(frozen=True)
class Difference:
    """A part that is not what a build would make of it.

    Attributes:
        part: Where.
        missing: Rows that a build would make and that are not there as such.
        extra: Rows that are there and that a build would not make.
        samples: Some of them.
        pending: Whether something arrived that is not built yet, which explains it.
    """

    part: Part
    missing: int
    extra: int
    samples: tuple[str, ...]
    pending: bool


def share_of_night(months: Iterable[date], night: date) -> list[date]:
    """The months that are compared in a night: each of them once in any 30 nights in a row.

    Stateless: a month's number modulo 30 is compared with the night's.

    Args:
        months: First days of months.
        night: The day of the run.
    """
    return [
        month
        for month in months
        if (month.year * 12 + month.month - night.toordinal()) % NIGHTS == 0
    ]


def compare(
    session: Connection,
    models: Sequence[Model],
    night: date | None = None,
    told: Callable[[Part], None] = lambda _part: None,
) -> list[Difference]:
    """Compare what is published with what a build would make.

    Args:
        session: Of a role that may read deliveries and what is published.
        models: From `read_models`.
        night: Compare that night's share of the months only; default all.
        told: Called with each part that was compared.

    Returns:
        The differences, in the order of the lineage.
    """
    # Each statement sees its own moment, so no vacuum is held back.
    session.set_session(readonly=True, autocommit=True)
    with session.cursor() as cursor:
        parts = {model.name: _parts(cursor, model) for model in models}
        differences = []
        for part in (part for model in models for part in _wanted(parts[model.name], night)):
            found = _compare_part(cursor, part, parts)
            told(part)
            if found:
                differences.append(found)
        return differences


def repair(differences: Sequence[Difference], target: str) -> list[str]:
    """The commands that bring back what was delivered, one for each range of months.

    Args:
        differences: From `compare`.
        target: For the commands.
    """
    tampered = [found.part for found in differences if not found.pending]
    months = sorted({part.lower for part in tampered if part.lower})
    ranges: list[list[date]] = []
    for month in months:
        if ranges and next_month(ranges[-1][1]) == month:
            ranges[-1][1] = month
        else:
            ranges.append([month, month])
    commands = [
        f"dbt build --target {target} --vars 'rebuild_range: [{first}, {last}]'"
        for first, last in ranges
    ]
    whole = [part.model.name for part in tampered if not part.lower]
    if whole:
        commands.insert(0, f"dbt build --target {target} --select {' '.join(whole)}")
    return commands


def read_models(target: str) -> list[Model]:
    """The models that are compared, with their SQL as dbt compiles it now.

    Args:
        target: A target of profiles.yml.

    Raises:
        UserError: dbt cannot compile them.
    """
    project = require_project()
    command = [str(Path(sys.executable).parent / "dbt"), "--quiet", "--no-use-colors", "compile"]
    command += ["--select", *_SELECTION, "--exclude", _LEFT_OUT, "--target", target]
    with tempfile.TemporaryDirectory(prefix="retail-check-") as folder:
        # Not the build's own folder: what a build left there stays, for `dbt retry` too.
        parsed = Path(os.environ.get("DBT_TARGET_PATH") or project / "target")
        parsed /= "partial_parse.msgpack"
        if parsed.is_file():
            shutil.copy(parsed, folder)
        result = subprocess.run(
            command,
            cwd=project,
            env=os.environ | {"DBT_TARGET_PATH": folder, "PGCLIENTENCODING": "UTF8"},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if result.returncode != 0:
            raise UserError(
                f"Nothing was compared: dbt cannot compile the models for the target {target}.\n"
                f"{result.stdout.strip()}\n{result.stderr.strip()}"
            )
        manifest = (Path(folder) / "manifest.json").read_text(encoding="utf-8")
    return list(_models(json.loads(manifest)))


def _models(manifest: Mapping[str, Any]) -> Iterator[Model]:
    """The models that are compared, parents first as dbt names its layers."""
    nodes = manifest["nodes"]
    chosen = [
        node
        for node in nodes.values()
        if node["resource_type"] in ("model", "snapshot")
        and node.get("compiled_code")
        and node["config"]["materialized"] in _COMPARED
    ]
    layers = {layer: place for place, layer in enumerate(("dim", "ref", "fact", "cuarentena"))}
    for node in sorted(
        chosen, key=lambda one: (layers.get(one["name"].split("_")[0], len(layers)), one["name"])
    ):
        partitioning = node["config"].get("partition_by")
        raw_tables, parents = _reads(manifest, node)
        yield Model(
            name=node["name"],
            relation=".".join(f'"{node[part]}"' for part in ("schema", "alias")),
            sql=node["compiled_code"],
            columns={column["name"]: column["data_type"] for column in node["columns"].values()},
            day=partitioning["fields"][0] if partitioning else None,
            keeps_rows=not partitioning and not node["config"].get("delete_missing"),
            raw_tables=raw_tables,
            parents=parents,
        )


def _reads(
    manifest: Mapping[str, Any], node: Mapping[str, Any]
) -> tuple[frozenset[str], frozenset[str]]:
    """Raw tables and partitioned models that a model reads, through views and ephemeral models."""
    raw_tables, parents = set(), set()
    for name in node["depends_on"]["nodes"]:
        source = manifest["sources"].get(name)
        parent = manifest["nodes"].get(name)
        if source:
            raw_tables.add(source["identifier"])
        elif parent["config"]["materialized"] == "partitioned":
            parents.add(parent["name"])
        elif parent["config"]["materialized"] in ("ephemeral", "view"):
            further, above = _reads(manifest, parent)
            raw_tables |= further
            parents |= above
    return frozenset(raw_tables), frozenset(parents)


def _parts(cursor: Cursor, model: Model) -> list[Part]:
    """What of a model is published."""
    if model.day:
        cursor.execute(_PARTITIONS, [model.relation])
        return [Part(model, lower, upper, version or "") for lower, upper, version in cursor]
    cursor.execute(_WHOLE, [model.relation, model.relation])
    return [Part(model, None, None, version or "") for (version,) in cursor]


def _wanted(parts: Sequence[Part], night: date | None) -> list[Part]:
    if night is None:
        return list(parts)
    months = set(share_of_night([part.lower for part in parts if part.lower], night))
    return [part for part in parts if part.lower is None or part.lower in months]


def _compare_part(
    cursor: Cursor, part: Part, parts: Mapping[str, Sequence[Part]]
) -> Difference | None:
    """Hashes first; the rows themselves only where they differ."""
    expected, published = _queries(part)
    cursor.execute(f"select {_HASH.format(expected)} = {_HASH.format(published)}")
    if cursor.fetchall() == [(True,)]:
        return None
    cursor.execute(_DIFFERENCE.format(expected=expected, published=published, samples=_SAMPLES))
    [(missing, extra, samples)] = cursor.fetchall()
    if part.model.keeps_rows:
        extra, samples = 0, [text for text in samples if missing]
    if not missing and not extra:
        return None
    return Difference(part, missing, extra, tuple(samples), _is_pending(cursor, part, parts))


def _queries(part: Part) -> tuple[str, str]:
    """SQL of the rows that a build would make, and of those that are published."""
    model = part.model
    names = ", ".join(f'"{name}"' for name in model.columns)
    typed = ", ".join(f'"{name}"::{kind} as "{name}"' for name, kind in model.columns.items())

    def bounds(match: re.Match[str]) -> str:
        return f"({match[1]} >= '{part.lower}' and {match[1]} < '{part.upper}')"

    restricted = _FILTER.sub(bounds, model.sql)
    where = f"where \"{model.day}\" >= '{part.lower}' and \"{model.day}\" < '{part.upper}'"
    return (
        f"select {typed} from ({restricted}\n) as model_rows",
        f"select {names} from {model.relation} {where if model.day else ''}",
    )


def _is_pending(cursor: Cursor, part: Part, parts: Mapping[str, Sequence[Part]]) -> bool:
    """Whether a load, or a parent's month, is younger than the part: the next build takes it in."""
    cursor.execute(_LOADED)
    loads = [
        stamp
        for table, month, stamp in cursor
        if table in part.model.raw_tables and month == part.lower
    ]
    built = [
        other.version
        for parent in part.model.parents
        for other in parts[parent]
        if other.lower == part.lower
    ]
    return any(stamp > part.version for stamp in loads + built)
