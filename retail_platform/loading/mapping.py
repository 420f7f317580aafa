"""Mapping files: how a retailer's own columns become those of the raw tables.

A mapping file is YAML; ``mappings/pos_example.yml`` explains every key. A file without a mapping
must carry the names and formats of the raw tables.
"""

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from hashlib import blake2b
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from retail_platform.loading.checks import TextFormats
from retail_platform.loading.errors import LoadError
from retail_platform.loading.tables import RAW_TABLES, Column, RawTable

TEXT_ID = "text_id"
_FORMAT_KEYS = {"decimal", "thousands", "dates", "times"}
_FILE_KEYS = {"files", "encoding", "separator"}
_COLUMN_KEYS = {"from", "as", "values", "constant"}
_ID_SEPARATOR = "\x1f"
"""Between the parts of a composed code; a control character occurs in no part."""


@dataclass(frozen=True)
class ColumnMapping:
    """Where a column's values come from.

    Attributes:
        sources: Columns of the file; several are one composed code.
        text_id: Whether the code is turned into a 64-bit number.
        values: Replacements of the file's own values; others stay as they are.
        constant: Value of every row, for a column that the file lacks.
    """

    sources: tuple[str, ...]
    text_id: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    constant: str | None = None


@dataclass(frozen=True)
class TableMapping:
    """How the files of one table are written.

    Attributes:
        files: Patterns of the file names; empty means "named after the table".
        encoding: Python's name of the encoding of CSV files.
        separator: Separator of CSV files; None means "the one that fits the header".
        formats: How numbers, dates and times are written.
        columns: Sources by column; a column that is not here has its own name in the file.
    """

    files: tuple[str, ...] = ()
    encoding: str = "utf-8"
    separator: str | None = None
    formats: TextFormats = TextFormats()
    columns: Mapping[str, ColumnMapping] = field(default_factory=dict)

    def column(self, name: str) -> ColumnMapping:
        """Where a column's values come from."""
        return self.columns.get(name, ColumnMapping((name,)))

    def source_names(self, table: RawTable) -> tuple[str, ...]:
        """Names that the file's header should have."""
        return tuple(s for name in table.column_names for s in self.column(name).sources)

    def apply(self, table: RawTable, header: Sequence[str], where: str) -> list[pl.Expr]:
        """Expressions that make the table's columns from the file's.

        Args:
            table: The table.
            header: Columns of the file; letter case does not matter.
            where: The file's name, for the error.

        Raises:
            LoadError: The file lacks a column; optional columns may be missing.
        """
        found = {name.strip().casefold(): name for name in header}
        expressions, missing = [], []
        for column in table.columns:
            mapped = self.column(column.name)
            sources = [found.get(source.casefold()) for source in mapped.sources]
            lacking = [s for s, f in zip(mapped.sources, sources, strict=True) if f is None]
            if not lacking:
                expressions.append(_expression(column, mapped, [s for s in sources if s]))
            elif column.required or column.name in self.columns:
                missing += lacking
            else:
                expressions.append(pl.lit(None, pl.String).alias(column.name))
        if missing:
            raise LoadError(
                f"{where}: no column {', '.join(missing)}; the file has {', '.join(header)}. "
                "If it has other names, declare them in a mapping file"
            )
        return expressions


@dataclass(frozen=True)
class FileMapping:
    """All tables of a mapping file.

    Attributes:
        tables: Mappings by table name; a table that is not here is delivered as it is.
    """

    tables: Mapping[str, TableMapping] = field(default_factory=dict)

    def of(self, table: RawTable) -> TableMapping:
        """The mapping of a table."""
        return self.tables.get(table.name, TableMapping())

    def table_of(self, path: Path) -> RawTable | None:
        """The table that claims a file by its pattern."""
        for name, mapping in self.tables.items():
            if any(fnmatch(path.name, pattern) for pattern in mapping.files):
                return RAW_TABLES[name]
        return None


def text_ids(codes: pl.Series) -> pl.Series:
    """Turn text codes into positive 64-bit numbers that depend on nothing but the text.

    The number is the first 8 bytes of BLAKE2b of the UTF-8 text, big endian, without the highest
    bit. Among n codes two collide with probability of about n^2 / 2^64: 5e-6 for ten million,
    5e-4 for a hundred million. A collision is not silent: dbt quarantines the lines of a ticket
    that seems to be in two places.

    Args:
        codes: Text; null and empty stay null.

    Returns:
        The numbers, Int64, from 1.
    """
    unique = codes.drop_nulls().unique().drop_nulls()
    numbers = [_text_id(code) if code else None for code in unique]
    return codes.replace_strict(unique, pl.Series(numbers, dtype=pl.Int64), return_dtype=pl.Int64)


def _text_id(code: str) -> int:
    digest = blake2b(code.encode(), digest_size=8).digest()
    return max(1, int.from_bytes(digest, "big") >> 1)


def _expression(column: Column, mapped: ColumnMapping, sources: Sequence[str]) -> pl.Expr:
    if mapped.constant is not None:
        return pl.lit(mapped.constant).alias(column.name)
    value = pl.col(sources[0])
    if len(sources) > 1 or mapped.text_id:
        parts = [pl.col(source).cast(pl.String).str.strip_chars() for source in sources]
        # A code of which a part is missing is no code: it stays empty and is refused as such.
        present = pl.all_horizontal(part.str.len_bytes() > 0 for part in parts)
        value = pl.when(present).then(pl.concat_str(parts, separator=_ID_SEPARATOR))
    if mapped.values:
        value = value.cast(pl.String).str.strip_chars().replace(dict(mapped.values))
    if mapped.text_id:
        value = value.map_batches(text_ids, return_dtype=pl.Int64)
    return value.alias(column.name)


def read_mapping(path: Path) -> FileMapping:
    """Read and validate a mapping file.

    Raises:
        LoadError: It cannot be read, or a key or value is not allowed; the message names the place.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise LoadError(f"{path}: not a readable mapping file: {error}") from error
    subjects = {table.subject: table for table in RAW_TABLES.values()}
    sections = _keys(document, set(subjects), str(path))
    return FileMapping(
        {
            subjects[name].name: _table_mapping(section, subjects[name], f"{path}: {name}")
            for name, section in sections.items()
        }
    )


def _table_mapping(section: Any, table: RawTable, where: str) -> TableMapping:
    given = _keys(section, {*_FILE_KEYS, *_FORMAT_KEYS, "columns"}, where)
    encoding = _text(given.get("encoding", "utf-8"), f"{where}.encoding")
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise LoadError(
            f"{where}.encoding: unknown encoding {encoding!r}; use utf-8, latin-1, cp1252 or utf-16"
        ) from None
    separator = given.get("separator")
    if separator is not None and len(_text(separator, f"{where}.separator")) != 1:
        raise LoadError(f"{where}.separator: {separator!r} is not one character")
    columns = _keys(given.get("columns", {}), set(table.column_names), f"{where}.columns")
    formats = dict(_formats(given, where))
    if formats.get("decimal", ".") == formats.get("thousands"):
        raise LoadError(f"{where}: decimal and thousands are the same character")
    return TableMapping(
        files=_texts(given.get("files", []), f"{where}.files"),
        encoding=encoding,
        separator=separator,
        formats=TextFormats(**formats),
        columns={
            name: _column_mapping(value, table, name, f"{where}.columns.{name}")
            for name, value in columns.items()
        },
    )


def _formats(given: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    """The formats that are given, validated."""
    parts = {"dates": ("%d", "%m"), "times": ("%H", "%M")}
    for key in _FORMAT_KEYS & set(given):
        text = _text(given[key], f"{where}.{key}")
        if key in parts and not all(part in text for part in parts[key]):
            raise LoadError(
                f"{where}.{key}: {text!r} is no such format; write e.g. "
                '"%d/%m/%Y" for dates, "%H:%M" for times'
            )
        if key not in parts and len(text) != 1:
            raise LoadError(f"{where}.{key}: {text!r} is not one character")
        yield key, text


def _column_mapping(given: Any, table: RawTable, name: str, where: str) -> ColumnMapping:
    if isinstance(given, str):
        return ColumnMapping((given,))
    keys = _keys(given, _COLUMN_KEYS, where)
    if ("from" in keys) == ("constant" in keys):
        raise LoadError(f"{where}: give either from or constant")
    if "constant" in keys:
        return ColumnMapping((), constant=str(keys["constant"]))
    text_id = keys.get("as") == TEXT_ID
    if "as" in keys and not text_id:
        raise LoadError(f"{where}.as: {keys['as']!r} is unknown; allowed is {TEXT_ID}")
    (column,) = (c for c in table.columns if c.name == name)
    if text_id and column.sql_type != "bigint":
        raise LoadError(f"{where}.as: only a bigint column can be a {TEXT_ID}")
    values = keys.get("values", {})
    if not isinstance(values, dict):
        raise LoadError(f"{where}.values: give the file's values and ours, e.g. {{WEB: online}}")
    sources = _texts(keys["from"], f"{where}.from")
    return ColumnMapping(sources, text_id, {str(a): str(b) for a, b in values.items()})


def _keys(given: Any, allowed: set[str], where: str) -> dict[str, Any]:
    """A YAML mapping whose keys are all allowed."""
    if not isinstance(given, dict):
        raise LoadError(f"{where}: keys and values are needed; keys are {_listed(allowed)}")
    unknown = sorted(str(key) for key in given if key not in allowed)
    if unknown:
        raise LoadError(f"{where}: unknown key {', '.join(unknown)}; allowed: {_listed(allowed)}")
    return given


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _text(given: Any, where: str) -> str:
    if not isinstance(given, str) or not given:
        raise LoadError(f"{where}: {given!r} is no text; put it in quotation marks")
    return given


def _texts(given: Any, where: str) -> tuple[str, ...]:
    """One text or several."""
    items = given if isinstance(given, list) else [given]
    return tuple(_text(item, where) for item in items)
