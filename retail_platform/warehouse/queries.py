"""PostgreSQL's SQL in a warehouse's dialect: views of the copy, and the analyses."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

from retail_platform.errors import UserError

_LAST_DAY = "9999-12-31"
"""Stands for an infinite date, which only PostgreSQL and Redshift know."""

# https://docs.snowflake.com/en/sql-reference/reserved-keywords
_RESERVED = set(
    """
    ACCOUNT ALL ALTER AND ANY AS BETWEEN BY CASE CAST CHECK COLUMN CONNECT CONNECTION CONSTRAINT
    CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DATABASE DELETE
    DISTINCT DROP ELSE EXISTS FALSE FOLLOWING FOR FROM FULL GRANT GROUP GSCLUSTER HAVING ILIKE IN
    INCREMENT INNER INSERT INTERSECT INTO IS ISSUE JOIN LATERAL LEFT LIKE LOCALTIME LOCALTIMESTAMP
    MINUS NATURAL NOT NULL OF ON OR ORDER ORGANIZATION QUALIFY REGEXP REVOKE RIGHT RLIKE ROW ROWS
    SAMPLE SCHEMA SELECT SET SOME START TABLE TABLESAMPLE THEN TO TRIGGER TRUE TRY_CAST UNION
    UNIQUE UPDATE USING VALUES VIEW WHEN WHENEVER WHERE WITH
    """.split()
)


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
    except sqlglot.errors.SqlglotError as error:
        raise UserError(f"Not a statement of PostgreSQL: {error}") from None
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.lower() == "make_date":
            call.replace(_date(call.expressions, dialect))
    for literal in list(tree.find_all(exp.Literal)):
        if literal.is_string and literal.name == "infinity" and _is_of_a_day(literal):
            literal.replace(exp.cast(exp.Literal.string(_LAST_DAY), "date"))
    if schemas:
        for table in tree.find_all(exp.Table):
            if table.db == schemas[0]:
                rename(table, schemas[1])
    if dialect == "snowflake":
        fold(tree)
    return tree.sql(dialect, pretty=True, comments=False)


def _is_of_a_day(literal: exp.Literal) -> bool:
    """A text of a condition may say infinity too; what stands for no day is in a coalesce."""
    parent = literal.parent
    if isinstance(parent, exp.Cast):
        return parent.to.this in exp.DataType.TEMPORAL_TYPES
    return isinstance(parent, exp.Coalesce)


def fold(tree: exp.Expr) -> None:
    """Names as Snowflake holds those that nothing quotes, in upper case.

    PostgreSQL quotes what it reserves itself, and sqlglot does not know what Snowflake does.
    """
    for name in tree.find_all(exp.Identifier):
        if re.fullmatch(r"[A-Za-z_]\w*", name.name, re.ASCII):
            reserved = name.name.upper() in _RESERVED
            name.set("quoted", reserved)
            if reserved:
                name.set("this", name.name.upper())


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
