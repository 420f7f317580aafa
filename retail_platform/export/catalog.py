"""What there is to copy, from PostgreSQL's own catalog: nothing is listed by hand.

Everything that holds rows in the schema is copied; a view that only gives them other names is noted
with its definition. The rows of one that computes, or reads anything else (the catalog), are
copied. The version of a part is the one that the package pg_lifecycle keeps in its comment; that of
a view's rows is made of its SELECT and the versions of what it reads.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import pyarrow as pa
import sqlglot
from psycopg2.extensions import connection
from sqlglot import exp

from retail_platform.errors import UserError

LAYOUT = 2
"""Raised when files are written in another way: every part is then written again."""

PERIOD = "periodo"
"""Name in the Hive folders, ``periodo=2024-01``; no column of a partitioned relation has it."""

_STATE = re.compile(r"\s*dbt_state: (\{.*\})\s*$", re.DOTALL)
_DAY = r"'(\d{4}-\d\d-\d\d[^']*)'"
_BOUND = re.compile(rf"FOR VALUES FROM \({_DAY}\) TO \({_DAY}\)")
# Functions that PostgreSQL calls stable for the sake of a time zone or a style of printing.
_STEADY = [
    *("to_char", "to_date", "to_timestamp", "date_trunc", "date_part", "date", "timezone"),
    *("make_timestamptz", "timestamptz", "timestamp", "time", "timetz", "interval", "numeric"),
    *("generate_series", "concat", "concat_ws", "format", "array_to_string", "to_json", "to_jsonb"),
    *("row_to_json", "json_agg", "jsonb_agg", "json_build_object", "jsonb_build_object"),
    *(
        "json_build_array",
        "jsonb_build_array",
        "json_object_agg",
        "jsonb_object_agg",
        "array_to_json",
    ),
]
_NODES_OF_ALIASES = (
    *(exp.Select, exp.With, exp.CTE, exp.From, exp.Table, exp.TableAlias),
    *(exp.Column, exp.Alias, exp.Star, exp.Identifier),
)
_PLAIN_TYPES = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "time without time zone": pa.time64("us"),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: Its name.
        type: As PostgreSQL prints it, ``numeric(12,2)``.
        nullable: Whether the database admits null.
        comment: Its description.
    """

    name: str
    type: str
    nullable: bool
    comment: str | None

    @cached_property
    def arrow_type(self) -> pa.DataType:
        """The exact counterpart; what has none is copied as PostgreSQL prints it."""
        plain = re.sub(r"\(\d+\)", "", self.type)  # time(0) without time zone
        if numeric := re.fullmatch(r"numeric\((\d+),(\d+)\)", self.type):
            precision, scale = map(int, numeric.groups())
            return pa.decimal128(precision, scale)
        return _PLAIN_TYPES.get(plain, pa.string())


@dataclass(frozen=True)
class Key:
    """A key: ``kind`` is primary, unique or foreign; ``to`` is where a foreign one leads."""

    kind: str
    columns: tuple[str, ...]
    to: str | None = None
    to_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What is one file: a partition, or a relation without partitions.

    Attributes:
        relation: The relation's name.
        table: What is read: the partition's name, or the relation's.
        schema: Where that lies.
        period: ``2024-01``, by the partition's lower bound, or its name if another one has the
            same; none of a whole relation.
        lower: Its first day, or moment; none if it is divided by something else.
        upper: The one after its last.
        version: Differs when the content may have changed; none if nothing tells: it is read then.
    """

    relation: str
    table: str
    schema: str
    period: str | None
    lower: str | None
    upper: str | None
    version: str | None


@dataclass(frozen=True)
class Relation:
    """A relation that holds rows, or a view (then without parts).

    Attributes:
        name: Its name.
        comment: Its description.
        columns: In order.
        keys: The primary key first.
        partitioned_by: Column whose period divides it.
        parts: Its files.
        definition: A view's SELECT.
        retained_from: The day before which pg_lifecycle archived its partitions.
    """

    name: str
    comment: str | None
    columns: tuple[Column, ...]
    keys: tuple[Key, ...] = ()
    partitioned_by: str | None = None
    parts: tuple[Part, ...] = ()
    definition: str | None = None
    retained_from: str | None = None

    @cached_property
    def shape(self) -> str:
        """What the layout of its files depends on: if it differs, all of them are written again."""
        told = [LAYOUT, self.sort_keys, [(column.name, column.type) for column in self.columns]]
        return sha256(json.dumps(told).encode()).hexdigest()[:16]

    @cached_property
    def schema(self) -> pa.Schema:
        """Of its files."""
        return pa.schema([(column.name, column.arrow_type) for column in self.columns])

    @cached_property
    def sort_keys(self) -> list[str]:
        """The order of rows: by day, then by the key; without a key by all columns."""
        key = next((key.columns for key in self.keys if key.kind != "foreign"), None)
        columns = key or tuple(column.name for column in self.columns)
        first = [self.partitioned_by] if self.partitioned_by else []
        return first + [name for name in columns if name not in first]

    @cached_property
    def totals(self) -> list[str]:
        """The columns whose sum is kept: exact numbers that are part of no key."""
        in_keys = {name for key in self.keys for name in key.columns}
        return [
            column.name
            for column in self.columns
            if column.name not in in_keys
            and (pa.types.is_integer(column.arrow_type) or pa.types.is_decimal(column.arrow_type))
        ]


def names_to_hold(session: connection, schema: str) -> tuple[list[str], list[str]]:
    """The relations that hold rows: tables, and materialized views.

    Args:
        session: An open session.
        schema: Where to look.

    Raises:
        UserError: There are none, or some may not be read.
    """
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select relname, relkind,
                has_schema_privilege(relnamespace, 'usage')
                and has_table_privilege(pg_class.oid, 'select')
            from pg_class where {_COPIED} order by relname
            """,
            {"schema": schema, "kinds": ["r", "p", "m"]},
        )
        rows = cursor.fetchall()
        cursor.execute("select current_user")
        [[user]] = cursor.fetchall()
    if not rows:
        raise UserError(f"There is nothing in schema '{schema}' to copy. Run `make build` first.")
    if closed := [name for name, _, readable in rows if not readable]:
        raise UserError(
            f"'{user}' may not read {', '.join(closed[:5])}{' ...' * (len(closed) > 5)} in schema "
            f"'{schema}'. Connect as a role that may, or have it granted: "
            f'grant usage on schema {schema} to "{user}"; '
            f'grant select on all tables in schema {schema} to "{user}"'
        )
    return (
        [name for name, kind, _ in rows if kind != "m"],
        [name for name, kind, _ in rows if kind == "m"],
    )


def read_relations(session: connection, schema: str) -> list[Relation]:
    """Read the catalog, in the session's snapshot.

    Args:
        session: With a transaction of its own.
        schema: Where to look.

    Returns:
        By name; views last.

    Raises:
        UserError: A column's type cannot be copied exactly.
    """
    with session.cursor() as cursor:
        # So that definitions name schemas, whatever path the role or the database prescribes.
        cursor.execute("set local search_path = ''")
        cursor.execute(
            _CATALOG, {"schema": schema, "kinds": ["r", "p", "m", "v"], "steady": _STEADY}
        )
        rows = [row for [row] in cursor.fetchall() if row["columns"]]  # a file has some
    relations = _versioned([_relation(schema, row) for row in rows], rows)
    for relation in relations:
        for column in relation.columns:
            _refuse_inexact(relation, column)
    return sorted(relations, key=lambda relation: (relation.definition is not None, relation.name))


def _versioned(relations: list[Relation], rows: list[Mapping[str, Any]]) -> list[Relation]:
    """With a version of the rows of each view that computes, where they are a function of others.

    They are if it reads copied relations alone, all of known version, and nothing that changes by
    itself (the time, a random number).
    """
    versions = {
        relation.name: [(part.table, part.version) for part in relation.parts]
        for relation in relations
    }
    reads = {row["name"]: row["reads"] for row in rows if row["kind"] == "v"}

    def version(name: str) -> str | None:
        read = reads[name]
        parts = [part for other in read["relations"] for part in versions.get(other, [])]
        known = set(read["relations"]) <= versions.keys() and all(told for _, told in parts)
        if not parts or not known or read["outside"] or not read["still"]:
            return None
        return sha256(json.dumps([read["definitions"], parts]).encode()).hexdigest()[:16]

    return [
        replace(relation, parts=(replace(relation.parts[0], version=version(relation.name)),))
        if relation.name in reads and relation.parts
        else relation
        for relation in relations
    ]


def _refuse_inexact(relation: Relation, column: Column) -> None:
    inexact = re.fullmatch(r"numeric(\((\d+),(-?\d+)\))?", column.type)
    if inexact and not (
        inexact.group(1) and int(inexact[2]) <= 38 and 0 <= int(inexact[3]) <= int(inexact[2])
    ):
        raise UserError(
            f"{relation.name}.{column.name} is {column.type}: a copy is exact only for "
            "numeric(p,s) with p up to 38 and s from 0 to p. Give it such a type in the model's "
            "contract (data_type in its yml) and build it."
        )
    if column.name == PERIOD and relation.partitioned_by:  # others lie in no such folder
        raise UserError(
            f"{relation.name} has a column '{PERIOD}', the name of the folders of periods. "
            "Give the column another name."
        )


def _relation(schema: str, row: Mapping[str, Any]) -> Relation:
    comment, state = _split_comment(row["comment"])
    name, kind, definition = row["name"], row["kind"], row["definition"]
    if kind == "v" and not _is_alias(schema, definition):
        kind, definition, state = "r", None, {}  # its state tells of its SELECT, not of its rows
    parts: tuple[Part, ...] = ()
    if kind == "p":
        parts = _apart([_partition(name, child) for child in row["partitions"] or []])
    elif kind != "v":
        parts = (Part(name, name, schema, None, None, None, state.get("version")),)
    return Relation(
        name=name,
        comment=comment,
        columns=tuple(Column(**column) for column in row["columns"]),
        keys=tuple(
            Key(key["kind"], tuple(key["columns"]), key["to"], tuple(key["to_columns"] or ()))
            for key in row["keys"] or []
        ),
        partitioned_by=row["partitioned_by"],
        parts=tuple(sorted(parts, key=lambda part: part.period or "")),
        definition=definition,
        retained_from=state.get("retained_from"),
    )


def _is_alias(schema: str, definition: str) -> bool:
    """Whether a view only renames or leaves out columns of relations in the schema.

    One that computes gives PostgreSQL's answer only in PostgreSQL, and one of something outside
    (the catalog) cannot be asked elsewhere.
    """
    query = sqlglot.parse_one(definition, read="postgres")
    named = {cte.alias for cte in query.find_all(exp.CTE)}
    return all(isinstance(node, _NODES_OF_ALIASES) for node in query.walk()) and all(
        table.db == schema or (table.db == "" and table.name in named)
        for table in query.find_all(exp.Table)
    )


def _partition(relation: str, child: Mapping[str, Any]) -> Part:
    _, state = _split_comment(child["comment"])
    bound = _BOUND.fullmatch(child["bound"])
    lower, upper = bound.groups() if bound else (None, None)
    period = "resto"
    if lower and upper:
        whole_month = lower.endswith("-01") and upper.endswith("-01")
        period = lower[:7] if whole_month else lower[:10]
    return Part(
        *(relation, child["name"], child["schema"], period, lower, upper, state.get("version"))
    )


def _apart(parts: list[Part]) -> tuple[Part, ...]:
    """Parts by names instead of periods where these are equal: lists, hours, several columns."""
    counted = Counter(part.period for part in parts)
    return tuple(
        replace(part, period=part.table) if counted[part.period] > 1 else part for part in parts
    )


def _split_comment(comment: str | None) -> tuple[str | None, Mapping[str, Any]]:
    """A comment is a description, and the line of JSON that pg_lifecycle adds to it."""
    found = _STATE.search(comment or "")
    if not found:
        return comment, {}
    try:
        state = json.loads(found.group(1))
    except ValueError:
        state = {}
    return (comment or "")[: found.start()].strip() or None, state


# Neither partitions nor what a build, running or killed, makes beside the published relation.
_COPIED = r"""
    relnamespace = to_regnamespace(quote_ident(%(schema)s)) and relkind = any(%(kinds)s)
    and not relispartition and relpersistence = 'p'
    and relname !~ '__new(_[0-9a-f]{8})?$'
"""

_CATALOG = rf"""
select json_build_object(
    'name', relname,
    'kind', relkind,
    'comment', obj_description(pg_class.oid, 'pg_class'),
    'definition', case when relkind = 'v' then pg_get_viewdef(pg_class.oid) end,
    'partitioned_by', (
        select attname
        from pg_partitioned_table
        inner join pg_attribute on attrelid = partrelid and attnum = partattrs[0]
        where partrelid = pg_class.oid
    ),
    'columns', (
        select json_agg(
            json_build_object(
                'name', attname,
                'type', (
                    -- A domain is what it is made of.
                    with recursive base (type, modifier) as (
                        select atttypid, atttypmod
                        union all
                        select typbasetype, case typtypmod when -1 then modifier else typtypmod end
                        from base
                        inner join pg_type on pg_type.oid = type
                        where typtype = 'd'
                    )
                    select format_type(type, modifier)
                    from base
                    inner join pg_type on pg_type.oid = type
                    where typtype != 'd'
                ),
                'nullable', not attnotnull,
                'comment', col_description(attrelid, attnum)
            )
            order by attnum
        )
        from pg_attribute
        where attrelid = pg_class.oid and attnum > 0 and not attisdropped
    ),
    'keys', (
        select json_agg(
            json_build_object(
                'kind', kind, 'to', target.relname,
                'columns', (
                    select array_agg(attname order by place)
                    from unnest(numbers) with ordinality as listed (number, place)
                    inner join pg_attribute on attrelid = pg_class.oid and attnum = number
                ),
                'to_columns', (
                    select array_agg(attname order by place)
                    from unnest(to_numbers) with ordinality as listed (number, place)
                    inner join pg_attribute on attrelid = target.oid and attnum = number
                )
            )
            order by kind <> 'primary', kind, numbers
        )
        from (
            select
                case contype when 'p' then 'primary' when 'u' then 'unique' else 'foreign' end,
                conkey, confkey, nullif(confrelid, 0)
            from pg_constraint
            where conrelid = pg_class.oid and contype in ('p', 'u', 'f')
            union all
            -- A materialized view has no constraints: its unique index is its key.
            select 'unique', indkey::smallint[], null, null
            from pg_index
            where indrelid = pg_class.oid and relkind = 'm' and indisunique
                and indpred is null and indexprs is null and indnatts = indnkeyatts
        ) as found (kind, numbers, to_numbers, target_oid)
        left join pg_class as target on target.oid = target_oid
    ),
    -- What a view reads, through views: relations of the schema by name, how many others.
    'reads', case when relkind = 'v' then (
        with recursive used (oid) as (
            select pg_class.oid
            union
            select refobjid
            from used
            inner join pg_rewrite on ev_class = used.oid
            inner join pg_depend
                on objid = pg_rewrite.oid and classid = 'pg_rewrite'::regclass
                and refclassid = 'pg_class'::regclass
        )
        select json_build_object(
            'relations', coalesce(
                json_agg(found.relname order by found.relname)
                filter (where found.relkind != 'v' and found.relnamespace = pg_class.relnamespace),
                '[]'
            ),
            'outside', count(*) filter (
                where found.relkind != 'v' and found.relnamespace != pg_class.relnamespace
            ),
            'definitions', json_agg(pg_get_viewdef(found.oid) order by found.relname)
                filter (where found.relkind = 'v'),
            'still', bool_and(
                found.relkind != 'v'
                or pg_get_viewdef(found.oid)
                    !~ '\m(CURRENT_|LOCALTIME|SESSION_USER|USER\M|TABLESAMPLE)'
                -- A text that is cast to a day or a moment.
                and pg_get_viewdef(found.oid) !~* '''(now|today|tomorrow|yesterday)\M'
                and not exists (
                    select
                    from regexp_matches(pg_get_viewdef(found.oid), '(\w+)\(', 'g') as called
                    inner join pg_proc on proname = called[1]
                    where provolatile = 'v' or provolatile = 's' and proname != all(%(steady)s)
                )
                -- What functions and operators of somebody read, no catalog tells.
                and not exists (
                    select
                    from pg_rewrite
                    inner join pg_depend
                        on objid = pg_rewrite.oid and classid = 'pg_rewrite'::regclass
                    where ev_class = found.oid
                        and refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
                )
            )
        )
        from used
        inner join pg_class as found on found.oid = used.oid
    ) end,
    'partitions', (
        select json_agg(json_build_object(
            'name', child.relname,
            'schema', (select nspname from pg_namespace where oid = child.relnamespace),
            'bound', pg_get_expr(child.relpartbound, child.oid),
            'comment', obj_description(child.oid, 'pg_class')
        ))
        from pg_inherits
        inner join pg_class as child on child.oid = inhrelid
        where inhparent = pg_class.oid
    )
)
from pg_class
where {_COPIED}
"""
