"""The statements of each warehouse: tables, loads and checks, made from the contents alone.

Types, names and texts are sqlglot's; what its dialects have no node for (COPY, LOAD DATA, stages)
is written here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from hashlib import sha256
from typing import ClassVar

from sqlglot import exp

from retail_platform.export.catalog import Column, Key
from retail_platform.export.manifest import FileEntry
from retail_platform.warehouse.changes import Changes, Load
from retail_platform.warehouse.contracts import Contents, Table, View, is_text
from retail_platform.warehouse.queries import fold, rename, translate


@dataclass
class Warehouse:
    """A warehouse, and where it finds the copy.

    Attributes:
        contents: What it holds.
        schema: What the schema is called there; BigQuery: dataset or project.dataset.
        place: The copy as the warehouse sees it, ``s3://bucket/prefix``.
        access: What lets it read the place: a role, a storage integration; none if none is needed.
    """

    dialect: ClassVar[str]
    schemes: ClassVar[tuple[str, ...]]
    access_is: ClassVar[str]
    access_needed: ClassVar[bool] = False

    _kinds_of_keys: ClassVar[tuple[str, ...]] = ("primary", "unique", "foreign")
    _unenforced: ClassVar[str] = ""
    _dropped_with: ClassVar[str] = ""
    _times_have_digits: ClassVar[bool] = False

    contents: Contents
    schema: str
    place: str
    access: str | None = None

    def definitions(self) -> list[str]:
        """Schema, tables, keys and views; what is there stays."""
        tables = self.contents.tables
        return [
            f"create schema if not exists {self.name_of_schema}",
            *self._place_statements(),
            *(text for table in tables for text in self._create(table, "if not exists")),
            *self._views(self.contents.views),
        ]

    def replace(self, changes: Changes) -> list[str]:
        """Bring the warehouse up to date: all rows in one transaction."""
        if changes.nothing:
            return []
        again = {table.name for table in changes.create}
        return [
            *(f"drop view if exists {self.name(name)}" for name in changes.drop_views),
            *self._renew(changes.create),
            *self._keys_to(again),
            *self._transaction(changes.loads),
            *(self._drop(name) for name in changes.drop),  # a view may have the name now
            *self._views(changes.views),
        ]

    def check(self) -> str:
        """A query that answers a row for each table whose rows or sums are not the manifest's."""
        return "\nunion all\n".join(self._check(table) for table in self.contents.tables)

    def files_of_statements(self, changes: Changes) -> dict[str, bytes]:
        """Path -> content of what the statements read beside the copy; Redshift's manifests."""
        return {}

    # --- parts that differ -------------------------------------------------------------------

    def _place_statements(self) -> list[str]:
        return []

    def _create(self, table: Table, how: str) -> list[str]:
        raise NotImplementedError

    def _renew(self, tables: Iterable[Table]) -> list[str]:
        """Make tables again whose columns changed."""
        return [text for table in tables for text in self._create(table, "or replace")]

    def _keys_to(self, again: set[str]) -> list[str]:
        """The foreign keys that went with the tables to which they led."""
        return [
            f"alter table {self.name(table.name)} add {self._key(key)}"
            for table in self.contents.tables
            for key in table.keys
            if key.kind == "foreign" and key.to in again and table.name not in again
        ]

    def _transaction(self, loads: Iterable[Load]) -> Iterator[str]:
        raise NotImplementedError

    def _view(self, view: View, query: str) -> list[str]:
        raise NotImplementedError

    # --- parts in common ---------------------------------------------------------------------

    @property
    def name_of_schema(self) -> str:
        """As statements write it."""
        return ".".join(self._identifier(part) for part in self.schema.split("."))

    def name(self, relation: str) -> str:
        """A relation as statements write it."""
        table = exp.Table(this=exp.to_identifier(relation))
        rename(table, self.schema)
        return self._sql(table)

    def _sql(self, tree: exp.Expr) -> str:
        return tree.sql(self.dialect)

    def _drop(self, relation: str) -> str:
        return f"drop table if exists {self.name(relation)}{self._dropped_with}"

    def _identifier(self, name: str) -> str:
        return self._sql(exp.to_identifier(name))

    def _names(self, names: Iterable[str]) -> str:
        return ", ".join(map(self._identifier, names))

    def _text(self, text: str) -> str:
        return exp.Literal.string(text).sql(self.dialect)

    def _type(self, column: Column) -> str:
        spelled = "text" if is_text(column) else column.type.replace(" without time zone", "")
        spelled = re.sub(r"timestamp(\(\d\))? with time zone", r"timestamptz\1", spelled)
        if not self._times_have_digits:
            spelled = re.sub(r"^(time\w*)\(\d\)", r"\1", spelled)
        return exp.DataType.build(spelled, dialect="postgres").sql(self.dialect)

    def _key(self, key: Key) -> str:
        """None of the warehouses enforces it: it tells planners and people."""
        if key.to:
            return (
                f"foreign key ({self._names(key.columns)}) references {self.name(key.to)} "
                f"({self._names(key.to_columns)}){self._unenforced}"
            )
        kind = "primary key" if key.kind == "primary" else "unique"
        return f"{kind} ({self._names(key.columns)}){self._unenforced}"

    def _columns(self, table: Table) -> list[str]:
        lines = []
        for column in table.columns:
            line = f"{self._identifier(column.name)} {self._type(column)}"
            line += "" if column.nullable else " not null"
            lines.append(line + self._inline_comment(column))
        return lines + [self._key(key) for key in table.keys if key.kind in self._kinds_of_keys]

    def _inline_comment(self, column: Column) -> str:
        return ""

    def _views(self, views: Iterable[View]) -> list[str]:
        schemas = (self.contents.schema, self.schema)
        return [
            text
            for view in views
            for text in self._view(view, translate(view.query, self.dialect, schemas))
        ]

    def _delete(self, load: Load) -> str:
        """All rows, or those of the periods that are replaced."""
        if load.periods is None:
            where = "true"
        else:
            column = self._identifier(load.table.partitioned_by or "")
            where = "\n    or ".join(
                f"({column} >= {self._day(lower)} and {column} < {self._day(upper)})"
                for lower, upper in _joined(load.periods)
            )
        return f"delete from {self.name(load.table.name)}\nwhere {where}"

    def _day(self, text: str) -> str:
        return exp.cast(exp.Literal.string(text), "date").sql(self.dialect)

    def _address(self, entry: FileEntry) -> str:
        return f"{self.place}/{entry['path']}"

    def _check(self, table: Table) -> str:
        rows = sum(entry["rows"] for entry in table.files)
        differs = {
            name: f"coalesce(sum({self._wide(name, total)}), 0) <> {self._number(total)}"
            for name, total in _totals(table).items()
        }
        told = " || ".join(
            f"case when {condition} then {self._text(f'{name} ')} else '' end"
            for name, condition in differs.items()
        )
        conditions = [f"count(*) <> {rows}", *differs.values()]
        return (
            f"select {self._text(table.name)} as relacion, count(*) as filas, {rows} as "
            f"filas_esperadas,\n    {told or self._text('')} as sumas_distintas\n"
            f"from {self.name(table.name)}\nhaving {' or '.join(conditions)}"
        )

    def _wide(self, name: str, like: Decimal) -> str:
        """A column with so many digits that its sum fits."""
        column = exp.column(exp.to_identifier(name))
        return self._sql(exp.cast(column, _widest(like), dialect="postgres"))

    def _number(self, number: Decimal) -> str:
        text = exp.Literal.string(f"{number:f}")
        return exp.cast(text, _widest(number), dialect="postgres").sql(self.dialect)


class Snowflake(Warehouse):
    """Reads files of a stage; a COPY is part of the transaction."""

    dialect = "snowflake"
    schemes = ("s3", "gcs")
    access_is = "the storage integration"
    access_needed = True

    _times_have_digits = True

    _most_files = 1000  # that one COPY may name

    def _sql(self, tree: exp.Expr) -> str:
        fold(tree)
        return super()._sql(tree)

    @property
    def _stage(self) -> str:
        return self.name("copia")

    def _place_statements(self) -> list[str]:
        integration = (
            f"\nstorage_integration = {self._identifier(self.access)}" if self.access else ""
        )
        return [
            f"create stage if not exists {self._stage}\n"
            f"url = {self._text(f'{self.place}/')}{integration}"
        ]

    def _create(self, table: Table, how: str) -> list[str]:
        replace, exists = (" or replace", "") if how == "or replace" else ("", f" {how}")
        lines = ",\n    ".join(self._columns(table))
        cluster = f"\ncluster by ({self._names(table.clustered_by)})" if table.clustered_by else ""
        comment = f"\ncomment = {self._text(table.comment)}" if table.comment else ""
        return [
            f"create{replace} table{exists} {self.name(table.name)} (\n    {lines}\n)"
            f"{cluster}{comment}"
        ]

    def _inline_comment(self, column: Column) -> str:
        return f" comment {self._text(column.comment)}" if column.comment else ""

    def _transaction(self, loads: Iterable[Load]) -> Iterator[str]:
        yield "begin transaction"
        for load in loads:
            yield self._delete(load)
            for first in range(0, len(load.files), self._most_files):
                files = load.files[first : first + self._most_files]
                names = ",\n    ".join(self._text(entry["path"]) for entry in files)
                # force: a month that is again as it once was has a file that was loaded before.
                yield (
                    f"copy into {self.name(load.table.name)}\nfrom @{self._stage}\n"
                    f"files = (\n    {names}\n)\n"
                    "file_format = (type = parquet use_logical_type = true)\n"
                    "match_by_column_name = case_insensitive\nforce = true"
                )
        yield "commit"

    def _view(self, view: View, query: str) -> list[str]:
        columns = ",\n    ".join(
            self._identifier(column.name) + self._inline_comment(column) for column in view.columns
        )
        comment = f"\ncomment = {self._text(view.comment)}" if view.comment else ""
        return [
            f"create or replace view {self.name(view.name)} (\n    {columns}\n)"
            f"{comment}\nas\n{query}"
        ]


class BigQuery(Warehouse):
    """LOAD DATA may not be part of a transaction: files go into tables beside, rows from there."""

    dialect = "bigquery"
    schemes = ("gs",)
    access_is = "nothing (whoever runs the job reads the bucket)"

    _kinds_of_keys = ("primary", "foreign")  # it has no unique ones
    _unenforced = " not enforced"
    # Clustering goes by these only.
    _clustering = ("smallint", "integer", "bigint", "boolean", "date", "text")

    def _type(self, column: Column) -> str:
        if column.type.startswith("numeric("):
            precision, scale = map(int, column.type[8:-1].split(","))
            if scale > 9 or precision - scale > 29:
                return f"BIGNUMERIC({precision}, {scale})"
        return super()._type(column)

    def _wide(self, name: str, like: Decimal) -> str:
        return f"cast({self._identifier(name)} as BIGNUMERIC)"

    def _number(self, number: Decimal) -> str:
        return f"BIGNUMERIC {self._text(f'{number:f}')}"

    def _create(self, table: Table, how: str) -> list[str]:
        replace, exists = (" or replace", "") if how == "or replace" else ("", f" {how}")
        lines = ",\n    ".join(self._columns(table))
        types = {column.name: column.type for column in table.columns}
        clustered = [name for name in table.clustered_by if types[name] in self._clustering]
        layout = ""
        if table.partitioned_by and types[table.partitioned_by] == "date":
            layout += f"\npartition by date_trunc({self._identifier(table.partitioned_by)}, month)"
        if clustered:
            layout += f"\ncluster by {self._names(clustered)}"
        options = f"\noptions (description = {self._text(table.comment)})" if table.comment else ""
        return [
            f"create{replace} table{exists} {self.name(table.name)} (\n    {lines}\n)"
            f"{layout}{options}"
        ]

    def _inline_comment(self, column: Column) -> str:
        return f" options (description = {self._text(column.comment)})" if column.comment else ""

    def _beside(self, table: Table) -> str:
        return self.name(f"{table.name}__carga")

    def _transaction(self, loads: Iterable[Load]) -> Iterator[str]:
        loads = tuple(loads)
        for load in loads:
            if load.files:
                columns = ", ".join(
                    f"{self._identifier(column.name)} {self._type(column)}"
                    for column in load.table.columns
                )
                uris = ",\n        ".join(self._text(self._address(file)) for file in load.files)
                yield (
                    f"load data overwrite {self._beside(load.table)} ({columns})\n"
                    f"from files (\n    format = 'PARQUET',\n    uris = [\n        {uris}\n    ]\n)"
                )
        yield "begin transaction"
        for load in loads:
            yield self._delete(load)
            if load.files:
                names = self._names(column.name for column in load.table.columns)
                yield (
                    f"insert into {self.name(load.table.name)} ({names})\n"
                    f"select {names} from {self._beside(load.table)}"
                )
        yield "commit transaction"
        for load in loads:
            if load.files:
                yield f"drop table {self._beside(load.table)}"

    def _view(self, view: View, query: str) -> list[str]:
        columns = ",\n    ".join(
            self._identifier(column.name) + self._inline_comment(column) for column in view.columns
        )
        comment = f"\noptions (description = {self._text(view.comment)})" if view.comment else ""
        return [
            f"create or replace view {self.name(view.name)} (\n    {columns}\n)"
            f"{comment}\nas\n{query}"
        ]


class Redshift(Warehouse):
    """A COPY goes by a manifest of files, and by the place of columns; all is one transaction.

    Dimensions are on every node; facts are spread by the first column of their key that is not the
    day, and lie by day.
    """

    dialect = "redshift"
    schemes = ("s3",)
    access_is = "the IAM role"
    access_needed = True

    folder: ClassVar[str] = "redshift"
    _dropped_with = " cascade"  # foreign keys that lead to it

    def _text(self, text: str) -> str:
        # A backslash escapes there; as sqlglot escapes quotes (by one), not every client reads it.
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

    def _create(self, table: Table, how: str) -> list[str]:
        exists = f" {how}" if how == "if not exists" else ""
        lines = ",\n    ".join(self._columns(table))
        name = self.name(table.name)
        return [
            f"create table{exists} {name} (\n    {lines}\n)\n{self._layout(table)}",
            *self._comments("table", name, table.comment, table.columns),
        ]

    def _renew(self, tables: Iterable[Table]) -> list[str]:
        # The first statement of the transaction: DDL is part of it here.
        return [
            text for table in tables for text in (self._drop(table.name), *self._create(table, ""))
        ]

    def replace(self, changes: Changes) -> list[str]:
        """All of it in one transaction, tables and views included."""
        statements = super().replace(changes)
        # One whose columns changed cannot be replaced; what reads another one goes first.
        views = [f"drop view if exists {self.name(view.name)}" for view in reversed(changes.views)]
        return ["begin", *views, *statements, "commit"] if statements else []

    def _layout(self, table: Table) -> str:
        sort = self._names(table.clustered_by or (table.key.columns if table.key else ()))
        layout = "diststyle all" if table.referred else "diststyle auto"
        if table.partitioned_by and table.key:
            spread = [name for name in table.key.columns if name != table.partitioned_by]
            if spread:
                layout = f"diststyle key\ndistkey ({self._identifier(spread[0])})"
        return layout + (f"\ncompound sortkey ({sort})" if sort else "")

    def _comments(
        self, kind: str, name: str, comment: str | None, columns: Iterable[Column]
    ) -> list[str]:
        told = [f"comment on {kind} {name} is {self._text(comment)}"] if comment else []
        return told + [
            f"comment on column {name}.{self._identifier(column.name)} is "
            f"{self._text(column.comment)}"
            for column in columns
            if column.comment
        ]

    def _transaction(self, loads: Iterable[Load]) -> Iterator[str]:
        for load in loads:
            yield self._delete(load)
            if load.files:
                yield (
                    f"copy {self.name(load.table.name)}\n"
                    f"from {self._text(f'{self.place}/{self._manifest(load)[0]}')}\n"
                    f"iam_role {self._text(self.access or '')}\nformat as parquet\nmanifest"
                )

    def _manifest(self, load: Load) -> tuple[str, bytes]:
        entries = [
            {
                "url": self._address(entry),
                "mandatory": True,
                "meta": {"content_length": entry["bytes"]},
            }
            for entry in load.files
        ]
        content = (json.dumps({"entries": entries}, indent=1) + "\n").encode()
        label = f"{load.table.name}-{sha256(content).hexdigest()[:16]}"
        return f"{self.folder}/{label}.manifest", content

    def files_of_statements(self, changes: Changes) -> dict[str, bytes]:
        """A list of files for each COPY."""
        return dict(self._manifest(load) for load in changes.loads if load.files)

    def _view(self, view: View, query: str) -> list[str]:
        name = self.name(view.name)
        # Bound late: a table can be made again without its views.
        return [
            f"create or replace view {name} as\n{query}\nwith no schema binding",
            *self._comments("view", name, view.comment, ()),
        ]


WAREHOUSES: dict[str, type[Warehouse]] = {
    kind.dialect: kind for kind in (Snowflake, BigQuery, Redshift)
}


def _joined(periods: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Periods that follow each other as one."""
    joined: list[tuple[str, str]] = []
    for lower, upper in sorted(periods):
        if joined and joined[-1][1] == lower:
            joined[-1] = (joined[-1][0], upper)
        else:
            joined.append((lower, upper))
    return joined


def _widest(number: Decimal) -> str:
    return f"numeric(38, {-int(number.as_tuple().exponent)})"


def _totals(table: Table) -> dict[str, Decimal]:
    """Column -> the sum that the manifest tells, over all files."""
    totals: dict[str, Decimal] = {}
    with localcontext(prec=76):  # the default of 28 digits rounds
        for entry in table.files:
            for name, text in entry["totals"].items():
                totals[name] = totals.get(name, Decimal(0)) + Decimal(text or 0)
    return totals
