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
    schema = batch.schema
    delivered = [
        pl.col(name).str.strip_chars() if schema[name] == pl.String else pl.col(name)
        for name in table.column_names
    ]
    frame = batch.select(ROW, *(value.name.prefix(_RAW) for value in delivered)).with_columns(
        _typed(column, schema[column.name], formats) for column in table.columns
    )
    rules = [
        rule
        for column in table.columns
        for rule in _column_rules(column, schema[column.name], window, formats)
    ]
    rules.extend(table.row_rules)
    accepted = frame.select(ROW, *table.column_names)
    suspect = frame.select(
        pl.any_horizontal(
            *(rule.violated for rule in rules if not rule.unread),
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
    column: Column, delivered: pl.DataType, window: DateWindow, formats: TextFormats
) -> Iterator[RowRule]:
    """The rules of one column, over the frame of raw and typed values."""
    raw, typed = pl.col(_RAW + column.name), pl.col(column.name)
    text = delivered == pl.String
    number = _number_text(raw, formats) if text else raw

    def rule(reason: str, violated: pl.Expr, unread: bool = False) -> RowRule:
        return RowRule(column.name, reason, violated, unread)

    empty = raw.is_null() | (raw == "") if text else raw.is_null()
    unreadable = typed.is_null() & ~empty
    if column.required:
        yield rule("FALTA_VALOR", empty, unread=True)
    if column.dtype == pl.String:
        yield rule("CARACTER_INVALIDO", typed.str.contains("\0", literal=True))
        yield rule("TEXTO_DEMASIADO_LARGO", typed.str.len_bytes() > MAX_TEXT)
    elif not column.dtype.is_numeric():
        yield rule(_UNREADABLE[type(column.dtype)], unreadable, unread=True)
    else:
        # A number that was written correctly and yet not read is larger than its column. In a file
        # with types there is no other reason.
        digits = r"^[+-]?\d+$" if column.scale is None else r"^[+-]?(\d+\.?\d*|\.\d+)$"
        well_written = number.str.contains(digits) if text else pl.lit(True)
        reason = _UNREADABLE.get(type(column.dtype), "NO_PARSEA_ENTERO")
        yield rule(reason, unreadable & ~well_written, unread=True)
        yield rule("FUERA_DE_RANGO", unreadable & well_written, unread=True)
    may_lose = column.scale is not None if text else column.dtype.is_numeric()
    if may_lose and delivered != column.dtype:
        # The cast cuts decimals off, and sums that agree to the cent need them all.
        lost = number.cast(pl.Float64, strict=False) - typed.cast(pl.Float64)
        yield rule("PRECISION_EXCESIVA", lost.abs() > 10.0 ** -((column.scale or 0) + 4))
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
