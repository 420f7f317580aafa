"""Parse and judge a batch of rows: typed rows that keep the file rules, reasons for the others.

Polars does the parsing; a rule is an expression that is true where a row is refused. The reasons of
this module are the ones of level ``archivo`` in ``seeds/motivos_rechazo.csv``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from retail_platform.loading.tables import MAX_TEXT, Column, RawTable, RowRule

ROW = "fila"
REJECTED_SCHEMA = {
    ROW: pl.Int64(),
    "columna": pl.String(),
    "motivo": pl.String(),
    "texto_original": pl.String(),
}
MAX_ORIGINAL_TEXT = 2_000
"""Characters of an offending value that are kept in quarantine."""

_RAW = "raw:"
# Up to here every whole number has a floating-point number of its own.
_EXACT_FLOAT = 2**53
# A few units in the last place of a Float64: 0.1 + 0.2 is 0.3, 10.5000001 is not 10.5.
_FLOAT_NOISE = 2.0**-50
_TRUE = ("true", "t", "1", "si", "sí", "s", "verdadero", "yes", "y")
_FALSE = ("false", "f", "0", "no", "n", "falso")


@dataclass(frozen=True)
class DateWindow:
    """Dates of events that are accepted, both ends included, so that a typo makes no partition."""

    first: date
    last: date


# Of openings, launches and the like; systems write "never" as the last day of the year 9999.
_ANY_DATE = DateWindow(date(1900, 1, 1), date(9999, 12, 31))


@dataclass(frozen=True)
class TextFormats:
    """How numbers, dates and times are written in a text file.

    Attributes:
        decimal: Decimal separator.
        thousands: Thousands separator, if there is one.
        dates: strftime format of dates.
        times: strftime format of times.
    """

    decimal: str = "."
    thousands: str | None = None
    dates: str = "%Y-%m-%d"
    times: str = "%H:%M:%S"


@dataclass(frozen=True)
class Checked:
    """A judged batch.

    Attributes:
        accepted: ``fila`` and the table's columns, typed.
        rejected: One row per reason: ``fila``, ``columna``, ``motivo``, ``texto_original``.
        delivered: Rows in the batch.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    delivered: int


def check(
    batch: pl.DataFrame, table: RawTable, window: DateWindow, formats: TextFormats
) -> Checked:
    """Judge the rows of one batch.

    Args:
        batch: ``fila`` and every column of the table, as text or as typed values.
        table: The raw table the rows are for.
        window: Accepted dates of the columns marked ``windowed``.
        formats: How text values are written.

    Returns:
        The accepted rows and the reasons of the rejected ones; every row is in exactly one of them.
    """
    raw = batch.select(ROW, *(_delivered(c, batch.schema[c.name]) for c in table.columns))
    schema = {column.name: raw.schema[_RAW + column.name] for column in table.columns}
    frame = raw.with_columns(
        _typed(column, schema[column.name], formats) for column in table.columns
    )
    powers = _written_with_exponents(raw, table, schema)
    rules = [
        rule
        for column in table.columns
        for rule in _column_rules(
            column, schema[column.name], window, formats, column.name in powers
        )
    ]
    rules.extend(table.row_rules)
    accepted = frame.select(ROW, *table.column_names)
    suspect = frame.select(
        pl.any_horizontal(
            *(
                rule.hint if rule.hint is not None else rule.violated
                for rule in rules
                if not rule.unread
            ),
            *(pl.col(name).is_null() for name in table.column_names),
        )
        .fill_null(False)
        .alias("suspect")
    ).to_series()
    nothing = pl.DataFrame(schema=REJECTED_SCHEMA)
    if not suspect.any():
        return Checked(accepted, nothing, len(batch))
    # Why a value could not be read takes longer to find out, and few rows need it.
    suspects = frame.filter(suspect)
    broken = suspects.select(
        rule.violated.fill_null(False).alias(str(number)) for number, rule in enumerate(rules)
    )
    reasons = [
        _reasons(suspects.filter(broken[str(number)]), rule)
        for number, rule in enumerate(rules)
        if broken[str(number)].any()
    ]
    if not reasons:
        return Checked(accepted, nothing, len(batch))
    rejected = pl.concat(reasons).sort(ROW, maintain_order=True)
    accepted = accepted.join(rejected, on=ROW, how="anti", maintain_order="left")
    return Checked(accepted, rejected, len(batch))


def _delivered(column: Column, dtype: pl.DataType) -> pl.Expr:
    """A delivered column under its raw name; text without the white space around it."""
    value = pl.col(column.name)
    # Codes and truth values may come as whole numbers, names as categories.
    as_text = column.dtype == pl.String or (column.dtype == pl.Boolean and dtype.is_integer())
    if dtype == pl.String or as_text:
        value = value.cast(pl.String).str.strip_chars()
    return value.alias(_RAW + column.name)


def _written_with_exponents(
    raw: pl.DataFrame, table: RawTable, schema: dict[str, pl.DataType]
) -> set[str]:
    """Decimal columns in which a letter E occurs: polars would read 1e-400 as zero.

    All values of a column in one text: looking into each would cost every clean file.
    """
    columns = [c for c in table.columns if c.scale is not None and schema[c.name] == pl.String]
    texts = raw.select(
        pl.col(_RAW + c.name).str.join("").str.contains("[eE]").alias(c.name) for c in columns
    )
    return {name for name in texts.columns if texts[name].any()}


def _reasons(rows: pl.DataFrame, rule: RowRule) -> pl.DataFrame:
    """One quarantine row for each row that breaks the rule."""
    return rows.select(
        ROW,
        pl.lit(rule.column).alias("columna"),
        pl.lit(rule.reason).alias("motivo"),
        pl.col(_RAW + rule.column)
        .cast(pl.String)
        .str.replace_all("\0", "\\0", literal=True)
        .str.slice(0, MAX_ORIGINAL_TEXT)
        .alias("texto_original"),
    )


def _number_text(text: pl.Expr, formats: TextFormats) -> pl.Expr:
    """A number's text in the machine's notation."""
    if formats.thousands:
        text = text.str.replace_all(formats.thousands, "", literal=True)
    if formats.decimal != ".":
        text = text.str.replace(formats.decimal, ".", literal=True)
    return text


def _typed(column: Column, delivered: pl.DataType, formats: TextFormats) -> pl.Expr:
    """The column's value in its own type; null where it is empty or cannot be read."""
    raw = pl.col(_RAW + column.name)
    match column.dtype:
        case _ if delivered != pl.String:
            value = raw.cast(column.dtype, strict=False)
        case pl.String():
            value = pl.when(raw != "").then(raw)
        case pl.Date():
            value = raw.str.to_date(formats.dates, strict=False)
        case pl.Time():
            value = raw.str.to_time(formats.times, strict=False)
        case pl.Boolean():
            lower = raw.str.to_lowercase()
            value = pl.when(lower.is_in(_TRUE)).then(True).when(lower.is_in(_FALSE)).then(False)
        case _:
            value = _number_text(raw, formats).cast(column.dtype, strict=False)
    return value.alias(column.name)


_UNREADABLE: dict[type[pl.DataType], str] = {
    pl.Date: "NO_PARSEA_FECHA",
    pl.Time: "NO_PARSEA_HORA",
    pl.Boolean: "NO_PARSEA_BOOLEANO",
    pl.Decimal: "NO_PARSEA_NUMERO",
}


def _column_rules(
    column: Column,
    delivered: pl.DataType,
    window: DateWindow,
    formats: TextFormats,
    has_exponents: bool,
) -> Iterator[RowRule]:
    """The rules of one column, over the frame of raw and typed values."""
    raw, typed = pl.col(_RAW + column.name), pl.col(column.name)
    text = delivered == pl.String

    def rule(reason: str, violated: pl.Expr, unread: bool = False) -> RowRule:
        return RowRule(column.name, reason, violated, unread)

    empty = raw.is_null() | (raw == "") if text else raw.is_null()
    unreadable = typed.is_null() & ~empty
    if column.required:
        yield rule("FALTA_VALOR", empty, unread=True)
    if column.dtype == pl.String:
        yield rule("CARACTER_INVALIDO", typed.str.contains("\0", literal=True))
        yield rule("TEXTO_DEMASIADO_LARGO", typed.str.len_chars() > MAX_TEXT)
    elif column.dtype.is_numeric():
        yield from _number_rules(column, delivered, formats, unreadable, has_exponents)
    else:
        yield rule(_UNREADABLE[type(column.dtype)], unreadable, unread=True)
    if column.dtype == pl.Time and not text:
        yield rule("PRECISION_EXCESIVA", typed.dt.nanosecond() != 0)
    if column.minimum is not None:
        negative = typed < 0
        yield rule("VALOR_NEGATIVO", negative)
        if column.minimum > 0:
            yield rule("FUERA_DE_RANGO", (typed < column.minimum) & ~negative)
    if column.maximum is not None:
        yield rule("FUERA_DE_RANGO", typed > column.maximum)
    if column.dtype == pl.Date:
        allowed = window if column.windowed else _ANY_DATE
        inside = typed.is_between(pl.lit(allowed.first), pl.lit(allowed.last))
        yield rule("FECHA_FUERA_DE_VENTANA", ~inside)


def _number_rules(
    column: Column,
    delivered: pl.DataType,
    formats: TextFormats,
    unreadable: pl.Expr,
    has_exponents: bool,
) -> Iterator[RowRule]:
    """Whether a number was read, and whether all of it was."""
    raw, typed = pl.col(_RAW + column.name), pl.col(column.name)
    unread = _UNREADABLE.get(type(column.dtype), "NO_PARSEA_ENTERO")
    if delivered != pl.String:
        # In a file with types a number that does not fit is the only one that cannot be read.
        yield RowRule(column.name, "FUERA_DE_RANGO", unreadable, unread=True)
        yield from _lossy_types(column, delivered, raw, typed)
        return
    number = _number_text(raw, formats)
    # A number that was written correctly and yet not read is larger than its column.
    digits = r"^[+-]?\d+$" if column.scale is None else r"^[+-]?(\d+\.?\d*|\.\d+)$"
    well_written = number.str.contains(digits)
    yield RowRule(column.name, unread, unreadable & ~well_written, unread=True)
    yield RowRule(column.name, "FUERA_DE_RANGO", unreadable & well_written, unread=True)
    read = typed.is_not_null()
    if formats.thousands or formats.decimal != ".":
        odd = ~raw.str.contains(_number_pattern(formats))
        marks = [mark for mark in (formats.thousands, ".") if mark]
        hint = pl.any_horizontal(raw.str.contains(mark, literal=True) for mark in marks)
        yield RowRule(column.name, unread, read & odd, hint=hint)
    if column.scale is None:
        return
    if has_exponents:
        yield RowRule(column.name, unread, read & number.str.contains("[eE]"))
    # The cast rounds, and sums that agree to the cent need every decimal; zeros say nothing.
    decimals = number.str.len_bytes() - number.str.find(".", literal=True) - 1
    yield RowRule(
        column.name,
        "PRECISION_EXCESIVA",
        read & number.str.contains(rf"\.\d{{{column.scale}}}\d*[1-9]"),
        hint=decimals > column.scale,
    )


def _number_pattern(formats: TextFormats) -> str:
    """Numbers in the declared notation: thousands in groups of three, no other mark.

    Without it 10.50 would be 1050 where the point separates thousands, and 1.234 would be read as
    it stands where the comma is the decimal separator.
    """
    whole = r"\d*"
    if formats.thousands:
        whole = rf"(\d*|\d{{1,3}}({re.escape(formats.thousands)}\d{{3}})+)"
    return rf"^[+-]?{whole}({re.escape(formats.decimal)}\d*)?$"


def _lossy_types(
    column: Column, delivered: pl.DataType, raw: pl.Expr, typed: pl.Expr
) -> Iterator[RowRule]:
    """Where a typed number has more in it than the column's type keeps."""
    back = typed.cast(delivered, strict=False)
    if delivered.is_float():
        # A Float64 is the decimal that it is nearest to: its noise in the last place is no decimal.
        noise = raw.abs() * (0.0 if column.scale is None else _FLOAT_NOISE)
        lost = (raw - back).abs() > noise if delivered == pl.Float64 else raw != back
        yield RowRule(column.name, "PRECISION_EXCESIVA", lost)
        largest = _EXACT_FLOAT if delivered == pl.Float64 else 2**24
        yield RowRule(column.name, "FUERA_DE_RANGO", raw.abs() > largest)
    elif delivered.is_decimal() and delivered != column.dtype:
        yield RowRule(column.name, "PRECISION_EXCESIVA", raw != back)
