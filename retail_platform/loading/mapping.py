"""Mapping files: how a retailer's own columns become those of the raw tables.

A mapping file is YAML; ``mappings/pos_example.yml`` explains every key. A file without a mapping
must carry the names and formats of the raw tables.
"""

import codecs
import string
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import blake2b
from pathlib import Path
from reprlib import Repr
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import yaml

from retail_platform.loading.checks import TextFormats
from retail_platform.loading.errors import LoadError
from retail_platform.loading.tables import RAW_TABLES, Column, RawTable
from retail_platform.text import printable, shown_path, utf8_name

TEXT_ID = "text_id"
LOCAL = "local"
"""The zone of timestamps that are written without one: the date is the one that is written."""
DATE_MEANINGS = ("yyyymmdd", "days_since_1970")
"""What a whole number can mean where a date is due."""
_FORMAT_KEYS = {"decimal", "thousands", "dates", "times"}
_FILE_KEYS = {"files", "encoding", "separator"}
_COLUMN_KEYS = {"from", "as", "values", "constant", "zone"}
# Encodings of Python that change text instead of representing it.
_NO_ENCODINGS = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
_MAX_NAMED = 50
_ID_SEPARATOR = "\x1f"
"""Between the parts of a composed code; a control character occurs in no part."""


@dataclass(frozen=True)
class ColumnMapping:
    """Where a column's values come from.

    Attributes:
        sources: Columns of the file; several are one composed code.
        text_id: Whether the code is turned into a 64-bit number.
        values: Replacements of the file's own values; others stay as they are. None is "no value".
        constant: Value of every row, for a column that the file lacks; used if there is no source.
        zone: Where the timestamps of a date are read: a place, or ``LOCAL``.
        meaning: What the whole numbers of a date mean, one of ``DATE_MEANINGS``.
    """

    sources: tuple[str, ...]
    text_id: bool = False
    values: Mapping[str, str | None] = field(default_factory=dict)
    constant: str | None = None
    zone: str | None = None
    meaning: str | None = None


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

    def apply(self, table: RawTable, header: Sequence[str]) -> list[pl.Expr]:
        """Expressions that make the table's columns from the file's.

        Args:
            table: The table.
            header: Columns of the file; letter case does not matter.

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
            names = ", ".join(printable(name) for name in header[:_MAX_NAMED])
            more = f" and {len(header) - _MAX_NAMED:,} more" if len(header) > _MAX_NAMED else ""
            raise LoadError(
                f"no column {', '.join(map(printable, missing))}; the file has {names}{more}. "
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
            if any(fnmatchcase(utf8_name(path.name), pattern) for pattern in mapping.files):
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
    if not mapped.sources:
        return pl.lit(mapped.constant, pl.String).alias(column.name)
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
    if mapped.zone or mapped.meaning:
        value = value.map_batches(_Dates(mapped))
    return value.alias(column.name)


@dataclass(frozen=True)
class _Dates:
    """Makes dates of timestamps or whole numbers; anything else stays as it is."""

    mapped: ColumnMapping

    def __call__(self, values: pl.Series) -> pl.Series:
        zone, dtype = self.mapped.zone, values.dtype
        if isinstance(dtype, pl.Datetime) and zone:
            local = values if zone == LOCAL else values.dt.convert_time_zone(zone)
            return local.dt.date()
        if dtype.is_integer() and self.mapped.meaning == "yyyymmdd":
            # As text, so that 20240231 is refused as what was written.
            text = values.cast(pl.String)
            return text.str.replace(r"^(\d{4})(\d{2})(\d{2})$", "${1}-${2}-${3}")
        if dtype.is_integer() and self.mapped.meaning:
            return values.cast(pl.Int32, strict=False).cast(pl.Date)
        return values


class _Plain(str):
    """A number, truth value or date of a mapping file, as it is written there.

    YAML takes NO for false, 007 for 7 and 1.50 for 1.5.
    """

    def __repr__(self) -> str:
        return str(self)


class _Loader(yaml.SafeLoader):
    """Keeps values as they are written and refuses a key that comes twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Make a dictionary."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {_shown(key.value)} comes twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


for _kind in ("int", "float", "bool", "timestamp"):
    _Loader.add_constructor(
        f"tag:yaml.org,2002:{_kind}", lambda _loader, node: _Plain(str(node.value))
    )


def read_mapping(path: Path) -> FileMapping:
    """Read and validate a mapping file.

    Raises:
        LoadError: It cannot be read, or a key or value is not allowed; the message names the place.
    """
    where = shown_path(path)
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506
    except OSError as error:
        raise LoadError(f"{where}: not a readable mapping file: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LoadError(f"{where}: not a readable mapping file: {error}") from error
    except RecursionError:
        raise LoadError(f"{where}: not a readable mapping file: nested too deeply") from None
    subjects = {table.subject: table for table in RAW_TABLES.values()}
    sections = _keys(document, set(subjects), where)
    return FileMapping(
        {
            subjects[name].name: _table_mapping(section, subjects[name], f"{where}: {name}")
            for name, section in sections.items()
        }
    )


def _table_mapping(section: Any, table: RawTable, where: str) -> TableMapping:
    given = _keys(section, {*_FILE_KEYS, *_FORMAT_KEYS, "columns"}, where)
    encoding = _encoding(given.get("encoding", "utf-8"), f"{where}.encoding")
    separator = given.get("separator")
    if separator is not None:
        _refuse_separator(_text(separator, f"{where}.separator"), f"{where}.separator")
    columns = _keys(given.get("columns", {}), set(table.column_names), f"{where}.columns")
    formats = dict(_formats(given, where))
    decimal = formats.get("decimal", TextFormats.decimal)
    if decimal == formats.get("thousands"):
        raise LoadError(
            f"{where}: decimal and thousands are the same character, {decimal!r}; give two "
            "different ones"
        )
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


def _encoding(given: Any, where: str) -> str:
    """The name of an encoding of text."""
    encoding = _text(given, where)
    try:
        codec = codecs.lookup(encoding)
        is_text = codec._is_text_encoding and codec.name.replace("_", "-") not in _NO_ENCODINGS
    except (LookupError, UnicodeError, ValueError):
        is_text = False
    if not is_text:
        raise LoadError(
            f"{where}: unknown encoding {_shown(encoding)}; use utf-8, latin-1, cp1252 or utf-16"
        )
    return encoding


def _refuse_separator(separator: str, where: str) -> None:
    if len(separator) != 1:
        raise LoadError(f"{where}: {_shown(separator)} is not one character")
    if not separator.isascii() or separator in '"\r\n\0' or separator.isalnum():
        raise LoadError(
            f"{where}: {_shown(separator)} cannot separate fields; use one of , ; | or a tab "
            '("\\t")'
        )


def _formats(given: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    """The formats that are given, validated."""
    parts = {"dates": ("%d", "%m"), "times": ("%H", "%M")}
    for key in _FORMAT_KEYS & set(given):
        text = _text(given[key], f"{where}.{key}")
        if key in parts and not all(part in text for part in parts[key]):
            raise LoadError(
                f"{where}.{key}: {_shown(text)} is no such format; write e.g. "
                '"%d/%m/%Y" for dates, "%H:%M" for times'
            )
        if key not in parts and len(text) != 1:
            raise LoadError(f"{where}.{key}: {_shown(text)} is not one character")
        if key not in parts and text in string.ascii_letters + string.digits + "+-":
            raise LoadError(f"{where}.{key}: {_shown(text)} is part of a number itself")
        yield key, text


def _column_mapping(given: Any, table: RawTable, name: str, where: str) -> ColumnMapping:
    if isinstance(given, str):
        return ColumnMapping((given,))
    keys = _keys(given, _COLUMN_KEYS, where)
    if ("from" in keys) == ("constant" in keys):
        raise LoadError(f"{where}: give either from or constant")
    (column,) = (c for c in table.columns if c.name == name)
    if "constant" in keys:
        return ColumnMapping((), constant=_constant(keys, column, where))
    sources = _texts(keys["from"], f"{where}.from")
    if not sources:
        raise LoadError(f"{where}.from: it names no column; give one, or several for a code")
    meaning = _meaning(keys["as"], column, f"{where}.as") if "as" in keys else None
    values = keys.get("values", {})
    if not isinstance(values, dict):
        raise LoadError(f"{where}.values: give the file's values and ours, e.g. {{WEB: online}}")
    return ColumnMapping(
        sources,
        meaning == TEXT_ID,
        {
            _scalar(a, f"{where}.values"): None if b is None else _scalar(b, f"{where}.values")
            for a, b in values.items()
        },
        zone=_zone(keys["zone"], column, f"{where}.zone") if "zone" in keys else None,
        meaning=None if meaning == TEXT_ID else meaning,
    )


def _constant(keys: Mapping[str, Any], column: Column, where: str) -> str | None:
    """The value of every row; null is "no value"."""
    if len(keys) > 1:
        raise LoadError(f"{where}: a constant has no {_listed(set(keys) - {'constant'})}")
    if keys["constant"] is not None:
        return _scalar(keys["constant"], f"{where}.constant")
    if column.required:
        raise LoadError(f"{where}.constant: null, but {column.name} is needed in every row")
    return None


def _meaning(given: Any, column: Column, where: str) -> str:
    """What ``as`` says of a column that can be that."""
    allowed = {"bigint": (TEXT_ID,), "date": DATE_MEANINGS}.get(column.sql_type, ())
    if given in allowed:
        return str(given)
    if given == TEXT_ID:
        raise LoadError(f"{where}: only a bigint column can be a {TEXT_ID}")
    if given in DATE_MEANINGS:
        raise LoadError(f"{where}: only a date column can be {given}")
    known = ", ".join(allowed or (TEXT_ID, *DATE_MEANINGS))
    raise LoadError(f"{where}: {_shown(given)} is unknown; allowed is {known}")


def _zone(given: Any, column: Column, where: str) -> str:
    """A place whose clock says which day it is."""
    zone = _text(given, where)
    if column.sql_type != "date":
        raise LoadError(f"{where}: only a date column has a zone")
    if zone != LOCAL:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise LoadError(
                f"{where}: {_shown(zone)} is no known zone; use e.g. America/Mexico_City, UTC, or "
                f"{LOCAL} for timestamps that are written without a zone"
            ) from None
    return zone


def _keys(given: Any, allowed: set[str], where: str) -> dict[str, Any]:
    """A YAML mapping whose keys are all allowed."""
    if not isinstance(given, dict):
        raise LoadError(f"{where}: keys and values are needed; keys are {_listed(allowed)}")
    unknown = sorted(_shown(key).strip("'") for key in given if key not in allowed)
    if unknown:
        raise LoadError(f"{where}: unknown key {', '.join(unknown)}; allowed: {_listed(allowed)}")
    return given


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


_REPR = Repr()
_REPR.maxlevel = 2
_REPR.maxstring = _REPR.maxother = 60


def _shown(value: object) -> str:
    """A value for a message: short, however large or nested it is."""
    return _REPR.repr(value)


def _text(given: Any, where: str) -> str:
    if not isinstance(given, str) or isinstance(given, _Plain) or not given:
        raise LoadError(f"{where}: {_shown(given)} is no text; put it in quotation marks")
    return given


def _scalar(given: Any, where: str) -> str:
    """A text, or a number as it is written."""
    if not isinstance(given, str):
        raise LoadError(f"{where}: {_shown(given)} is no single value")
    return str(given)


def _texts(given: Any, where: str) -> tuple[str, ...]:
    """One text or several."""
    items = given if isinstance(given, list) else [given]
    return tuple(_text(item, where) for item in items)
