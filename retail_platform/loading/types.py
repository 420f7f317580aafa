"""Which types of a Parquet column can be read for which column of a raw table.

A file with types is taken by its word: what could mean several things (a timestamp for a date, a
number for a day, a truth value for an amount) is refused unless the mapping says what it means.
"""

import polars as pl

from retail_platform.loading.errors import LoadError
from retail_platform.loading.mapping import DATE_MEANINGS, LOCAL, ColumnMapping, TableMapping
from retail_platform.loading.tables import Column, RawTable
from retail_platform.text import printable


def refuse_unclear_types(table: RawTable, mapping: TableMapping, schema: pl.Schema) -> None:
    """Refuse a file in which a column's type does not say what its values mean.

    Args:
        table: The table.
        mapping: What the file's columns are called, and what some of them mean.
        schema: Names and types of the file.

    Raises:
        LoadError: It names the columns, their types and the way out.
    """
    types = {name.strip().casefold(): dtype for name, dtype in schema.items()}
    problems = []
    for column in table.columns:
        mapped = mapping.column(column.name)
        dtypes = [types.get(source.casefold()) for source in mapped.sources]
        for source, dtype in zip(mapped.sources, dtypes, strict=True):
            if dtype is None or dtype in (pl.String, pl.Null):
                continue
            # A code and replaced values are text, whatever they are made of.
            as_text = mapped.text_id or mapped.values or len(dtypes) > 1
            problem = _text_problem(dtype) if as_text else _problem(column, mapped, dtype)
            if problem:
                problems.append(f"column {printable(source)} is {dtype}: {problem}")
    if problems:
        raise LoadError("; ".join(problems[:10]))


def _text_problem(dtype: pl.DataType) -> str | None:
    if dtype.is_integer() or isinstance(dtype, (pl.Categorical, pl.Enum)):
        return None
    return "text or whole numbers are needed; write the column as text"


def _problem(column: Column, mapped: ColumnMapping, dtype: pl.DataType) -> str | None:
    """Why a type cannot be read for a column; None if it can."""
    match column.dtype:
        case pl.String():
            return _text_problem(dtype)
        case pl.Date():
            return _date_problem(column.name, mapped, dtype)
        case pl.Time():
            allowed = dtype == pl.Time
            return None if allowed else "a time of the day is needed, as such or as text"
        case pl.Boolean():
            allowed = dtype == pl.Boolean or dtype.is_integer()
            return None if allowed else "true or false is needed, as such, as 1 and 0, or as text"
        case _:
            allowed = dtype.is_numeric()
            return None if allowed else "a number is needed, as such or as text"


def _date_problem(name: str, mapped: ColumnMapping, dtype: pl.DataType) -> str | None:
    zone = mapped.zone
    if dtype == pl.Date:
        return None
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None and zone == LOCAL:
            return None
        if dtype.time_zone is not None and zone not in (None, LOCAL):
            return None
        example = LOCAL if dtype.time_zone is None else "America/Mexico_City"
        return (
            "which day a moment belongs to depends on the place; say it in a mapping file, e.g. "
            f"{name}: {{from: {name}, zone: {example}}}"
        )
    if dtype.is_integer():
        if mapped.meaning:
            return None
        return (
            "a number is no date; say in a mapping file what it means, e.g. "
            f"{name}: {{from: {name}, as: {DATE_MEANINGS[0]}}} (or {', '.join(DATE_MEANINGS[1:])})"
        )
    return "a date is needed, as such or as text"
