"""Parse and judge a batch of rows: typed rows that keep the file rules, reasons for the others.

Polars does the parsing; a rule is an expression that is true where a row is refused. The reasons of
this module are the ones of level ``archivo`` in ``seeds/motivos_rechazo.csv``.
"""

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
_TRUE = ("true", "t", "1", "si", "sí", "s", "verdadero", "yes", "y")
_FALSE = ("false", "f", "0", "no", "n", "falso")


@dataclass(frozen=True)
class DateWindow:
    """Dates of events that are accepted, both ends included, so that a typo makes no partition."""

    first: date
    last: date


@dataclass(frozen=True)
class TextFormats:
    """How numbers, dates and times are written in a text file.

    Attributes:
        decimal: Decimal separator.
        thousands: Thousands separator, if there is one.
        dates: strftime format of dates.
        times: strftime formats of times; the first that fits wins.
    """

    decimal: str = "."
    thousands: str | None = None
    dates: str = "%Y-%m-%d"
    times: tuple[str, ...] = ("%H:%M:%S", "%H:%M")


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
    schema = batch.schema
    frame = batch.select(
        ROW,
        *(pl.col(column.name).alias(_RAW + column.name) for column in table.columns),
        *(_typed(column, schema[column.name], formats) for column in table.columns),
    )
    rules = [
        rule
        for column in table.columns
        for rule in _column_rules(column, schema[column.name], window, formats)
    ]
    rules.extend(table.row_rules)
    broken = frame.select(
        rule.violated.fill_null(False).alias(str(number)) for number, rule in enumerate(rules)
    )
    refused = broken.select(pl.any_horizontal(pl.all()).alias("any")).to_series()
    accepted = frame.select(ROW, *table.column_names)
    if not refused.any():
        return Checked(accepted, pl.DataFrame(schema=REJECTED_SCHEMA), len(batch))
    rejected = pl.concat(
        _reasons(frame.filter(broken[str(number)]), rule)
        for number, rule in enumerate(rules)
        if broken[str(number)].any()
    )
    return Checked(accepted.filter(~refused), rejected.sort(ROW, maintain_order=True), len(batch))


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


def _text(column: Column) -> pl.Expr:
    """The delivered text without surrounding white space."""
    return pl.col(column.name).str.strip_chars()


def _number_text(text: pl.Expr, formats: TextFormats) -> pl.Expr:
    """A number's text in the machine's notation."""
    if formats.thousands:
        text = text.str.replace_all(formats.thousands, "", literal=True)
    if formats.decimal != ".":
        text = text.str.replace(formats.decimal, ".", literal=True)
    return text


def _typed(column: Column, delivered: pl.DataType, formats: TextFormats) -> pl.Expr:
    """The column's value in its own type; null where it is empty or cannot be read."""
    value = pl.col(column.name)
    if delivered != pl.String:
        return value.cast(column.dtype, strict=False)
    text = _text(column)
    match column.dtype:
        case pl.String():
            return pl.when(text != "").then(text).alias(column.name)
        case pl.Date():
            return text.str.to_date(formats.dates, strict=False)
        case pl.Time():
            return pl.coalesce(text.str.to_time(f, strict=False) for f in formats.times)
        case pl.Boolean():
            lower = text.str.to_lowercase()
            return (
                pl.when(lower.is_in(_TRUE)).then(True).when(lower.is_in(_FALSE)).then(False)
            ).alias(column.name)
        case _:
            return _number_text(text, formats).cast(column.dtype, strict=False)


_PARSE_REASONS: dict[type[pl.DataType], str] = {
    pl.Date: "NO_PARSEA_FECHA",
    pl.Time: "NO_PARSEA_HORA",
    pl.Boolean: "NO_PARSEA_BOOLEANO",
    pl.Decimal: "NO_PARSEA_NUMERO",
}


def _column_rules(
    column: Column, delivered: pl.DataType, window: DateWindow, formats: TextFormats
) -> Iterator[RowRule]:
    """The rules of one column, over the frame of raw and typed values."""
    raw, typed = pl.col(_RAW + column.name), pl.col(column.name)
    empty = raw.is_null()
    # A value in a typed file that does not fit the column's type is a number that is too large.
    overflow = pl.lit(True)
    number = raw
    if delivered == pl.String:
        stripped = raw.str.strip_chars()
        empty = empty | (stripped == "")
        number = _number_text(stripped, formats)
        overflow = number.str.contains(r"^[+-]?\d+(\.\d*)?$")

    if column.required:
        yield RowRule(column.name, "FALTA_VALOR", empty)
    if column.dtype == pl.String:
        yield RowRule(column.name, "CARACTER_INVALIDO", typed.str.contains("\0", literal=True))
        yield RowRule(column.name, "TEXTO_DEMASIADO_LARGO", typed.str.len_bytes() > MAX_TEXT)
        return

    unreadable = typed.is_null() & ~empty
    reason = _PARSE_REASONS.get(type(column.dtype), "NO_PARSEA_ENTERO")
    if not column.dtype.is_numeric():
        yield RowRule(column.name, reason, unreadable)
    else:
        whole = number.str.contains(r"^[+-]?\d+$") if delivered == pl.String else pl.lit(True)
        fits_type = overflow if column.scale is not None else whole
        yield RowRule(column.name, reason, unreadable & ~fits_type)
        yield RowRule(column.name, "FUERA_DE_RANGO", unreadable & fits_type)
    if column.scale is not None and delivered != column.dtype:
        # The cast rounds, and a sum that must agree to the cent cannot be made of rounded parts.
        exact = (
            number.str.contains(rf"\.\d{{{column.scale}}}\d*[1-9]")
            if delivered == pl.String
            else (raw.cast(pl.Float64) - typed.cast(pl.Float64)).abs() > 10.0 ** -(column.scale + 3)
        )
        yield RowRule(column.name, "PRECISION_EXCESIVA", exact)
    if column.minimum is not None:
        negative = typed < 0
        yield RowRule(column.name, "VALOR_NEGATIVO", negative)
        if column.minimum > 0:
            yield RowRule(column.name, "FUERA_DE_RANGO", (typed < column.minimum) & ~negative)
    if column.maximum is not None:
        yield RowRule(column.name, "FUERA_DE_RANGO", typed > column.maximum)
    if column.windowed:
        yield RowRule(
            column.name,
            "FECHA_FUERA_DE_VENTANA",
            ~typed.is_between(pl.lit(window.first), pl.lit(window.last)),
        )
