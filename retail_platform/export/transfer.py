"""Moves the rows of a part: COPY as CSV, typed by Arrow, sorted, encoded as Parquet.

Measured against ADBC and chosen in docs/decisions (the open copy). A part is in memory as a whole.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq
from psycopg2 import sql
from psycopg2.extensions import connection

from retail_platform.errors import UserError
from retail_platform.export.catalog import Part, Relation

# What DuckDB reads at a time, so that a query of one month uses more than one core.
_ROW_GROUP = 122_880
_BLOCK = 4 * 1024**2
_LARGEST_BLOCK = 2**31 - 1
# Rows that tell whether a column's values repeat.
_SAMPLE = 4_000
# Digits of a sum in 128 bits, and what adding up to a billion rows can add to a number's.
_DIGITS, _CARRY = 38, 9

Totals = Mapping[str, str | None]
"""Column -> exact sum as text; none over no values."""


@dataclass(frozen=True)
class Encoded:
    """A part as a file.

    Attributes:
        content: Parquet; the same rows give the same bytes.
        sha256: Of the content.
        rows: Rows.
        totals: Sums of its numbers.
    """

    content: pa.Buffer
    sha256: str
    rows: int
    totals: Totals


def encode(session: connection, relation: Relation, part: Part) -> Encoded:
    """Read a part in the session's snapshot and encode it.

    Args:
        session: In a transaction.
        relation: Which.
        part: Of the relation.

    Raises:
        UserError: A value has no counterpart in Arrow (an infinite date, NaN).
    """
    rows = _sorted(_read(session, relation, part), relation.sort_keys)
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows,
        sink,
        compression="zstd",
        row_group_size=_ROW_GROUP,
        use_dictionary=_repeating(rows),
        store_decimal_as_integer=True,  # smaller, and quicker to read
    )
    content = sink.getvalue()
    return Encoded(content, sha256(content).hexdigest(), len(rows), totals_of(rows, relation))


def totals_of(rows: pa.Table, relation: Relation) -> Totals:
    """The exact sums of a relation's numbers.

    Args:
        rows: Of the relation.
        relation: Which.
    """
    return {name: _exact_sum(rows[name]) for name in relation.totals}


def _exact_sum(values: pa.ChunkedArray) -> str | None:
    if pa.types.is_int64(values.type):  # its sum has 64 bits, which wrap around without a word
        values = values.cast(pa.decimal128(19, 0))
    if pa.types.is_decimal(values.type) and values.type.precision + _CARRY > _DIGITS:
        values = values.cast(pa.decimal256(76, values.type.scale))
    total = pc.sum(values).as_py()
    return None if total is None else str(total)


def _read(session: connection, relation: Relation, part: Part) -> pa.Table:
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in relation.columns)
    statement = sql.SQL("copy (select {} from {}) to stdout (format csv)").format(
        names, sql.Identifier(part.schema, part.table)
    )
    received = io.BytesIO()
    with session.cursor() as cursor:
        cursor.copy_expert(statement, received, size=_BLOCK)
        count = cursor.rowcount
    if not count:
        return relation.schema.empty_table()
    content = received.getvalue()
    # Slower: only where there are any.
    broken = content.count(b"\n") > count or b"\r" in content
    try:
        try:
            return _parse(content, relation, _BLOCK, broken)
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error):  # a row longer than a block: all in one
                raise
            return _parse(content, relation, min(len(content) + 1, _LARGEST_BLOCK), broken)
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{part.table} holds a value that cannot be copied: {error}. Infinite dates, NaN, "
            "24:00:00 and years beyond 9999 have no counterpart in Parquet: correct the row, or "
            "its column's type."
        ) from None


def _parse(content: bytes, relation: Relation, block: int, broken: bool) -> pa.Table:
    """What COPY sent; ``broken``: whether a row may have several lines."""
    return csv.read_csv(
        pa.py_buffer(content),
        csv.ReadOptions(column_names=relation.schema.names, use_threads=False, block_size=block),
        csv.ParseOptions(
            newlines_in_values=broken,
            ignore_empty_lines=False,  # a null of a relation with one column
        ),
        csv.ConvertOptions(
            column_types=relation.schema,
            # COPY quotes an empty text and leaves a null unquoted.
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _sorted(rows: pa.Table, keys: list[str]) -> pa.Table:
    """In one piece, so that the same rows give the same bytes."""
    order = pc.sort_indices(rows, [(key, "ascending") for key in keys])
    return rows.take(order).combine_chunks()


def _repeating(rows: pa.Table) -> list[str]:
    """Columns whose values repeat ten times on average; of the others a dictionary is a burden.

    Times repeat, but not beside each other as days do: without a dictionary they take half. Told
    from rows spread over the part: a tenth as many values as rows, each equally frequent, show
    ``expected`` of them in a sample. Counting all of them took an eighth of an export.
    """
    sample = rows.take(pa.array(range(0, len(rows), 1 + len(rows) // _SAMPLE), pa.int64()))
    values = len(rows) / 10
    expected = values * -math.expm1(-len(sample) / values) if values else 0
    return [
        column.name
        for column in rows.schema
        if not pa.types.is_time(column.type)
        and pc.count_distinct(sample[column.name]).as_py() <= expected
    ]
