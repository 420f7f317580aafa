"""PostgreSQL's SQL in a warehouse's dialect: views of the copy, and the analyses."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from retail_platform.errors import UserError

_LAST_DAY = "9999-12-31"
"""Stands for an infinite date, which only PostgreSQL and Redshift know."""


def translate(query: str, dialect: str, schemas: tuple[str, str] | None = None) -> str:
    """Translate a SELECT.

    sqlglot does most of it; what it leaves as it was is put right here.

    Args:
        query: In PostgreSQL's dialect.
        dialect: ``snowflake``, ``bigquery`` or ``redshift``.
        schemas: A schema, and what it is called there.

    Raises:
        UserError: It is not SQL.
    """
    try:
        tree = sqlglot.parse_one(query, read="postgres")
    except sqlglot.errors.ParseError as error:
        raise UserError(f"Not a statement of PostgreSQL: {error}") from None
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.lower() == "make_date":
            call.replace(_date(call.expressions, dialect))
    for literal in list(tree.find_all(exp.Literal)):
        if literal.is_string and literal.name == "infinity":
            literal.replace(exp.cast(exp.Literal.string(_LAST_DAY), "date"))
    if schemas:
        for table in tree.find_all(exp.Table):
            if table.db == schemas[0]:
                rename(table, schemas[1])
    return tree.sql(dialect, pretty=True, comments=False)


def rename(table: exp.Table, schema: str) -> None:
    """Put a table into a schema, which may be ``project.dataset``."""
    project, _, dataset = schema.rpartition(".")
    table.set("db", exp.to_identifier(dataset))
    table.set("catalog", exp.to_identifier(project) if project else None)


def _date(parts: list[exp.Expression], dialect: str) -> exp.Expression:
    """A day of its year, month and day; Redshift has no function for it."""
    year, month, day = parts
    if dialect != "redshift":
        return exp.DateFromParts(year=year, month=month, day=day)
    number = exp.Add(
        this=exp.Add(
            this=exp.Mul(this=exp.paren(year), expression=exp.Literal.number(10_000)),
            expression=exp.Mul(this=exp.paren(month), expression=exp.Literal.number(100)),
        ),
        expression=exp.paren(day),
    )
    return exp.Anonymous(
        this="to_date",
        expressions=[exp.cast(exp.paren(number), "varchar"), exp.Literal.string("YYYYMMDD")],
    )
