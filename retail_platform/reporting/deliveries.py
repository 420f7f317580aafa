"""The state of the deliveries: is every row accounted for, what was refused, what is missing.

The report reads the ledger, the raw tables and what dbt made of them; it changes nothing. A part
whose relations dbt has not built yet says so instead of failing.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from retail_platform.loading.errors import LoadError
from retail_platform.loading.tables import RAW_TABLES
from retail_platform.postgres.connection import connect
from retail_platform.reporting.rendering import GateReport, Section
from retail_platform.reporting.statements import render

SHOWN_ROWS = 20
_SQL = Path(__file__).with_name("sql")


@dataclass(frozen=True)
class _Query:
    """A section to be read.

    Attributes:
        title: Heading.
        note: What the section says.
        file: Name of the query in ``sql``.
        needs: Relations without which it is left out.
        difference: Columns that must be zero in every row.
        is_refusal: Whether each of its rows is one that somebody has to correct.
    """

    title: str
    note: str
    file: str
    needs: tuple[str, ...] = ()
    difference: tuple[str, ...] = ()
    is_refusal: bool = False


_QUERIES = (
    _Query(
        "Deliveries",
        "All loads by table; failed loads left nothing behind but their row in the ledger.",
        "deliveries",
    ),
    _Query(
        "Failed loads",
        "The newest first; correct what the error says and load the file again.",
        "failed_loads",
    ),
    _Query(
        "Passed over",
        "In the folders that were loaded, but no delivery that can be read; as of the newest load.",
        "passed_over",
        needs=("staging.archivos_omitidos",),
    ),
    _Query(
        "Every row accounted for, by load",
        "delivered = refused by file rules + superseded by later loads + quarantined by dbt + "
        "accepted. Loads with a difference come first, then the newest.",
        "loads_accounted_for",
        difference=("difference",),
    ),
    _Query(
        "Sales accounted for, by month",
        "Raw rows and money against fact + quarantine, to the cent. Months with a difference come "
        "first; if a load is newer than the last dbt build, build again.",
        "sales_accounted_for",
        needs=("retail.fact_ventas", "cuarentena.ventas"),
        difference=("rows missing", "money missing"),
    ),
    _Query(
        "Catalogue rows refused",
        "They broke a rule of their dimension, which keeps the last good version; correct them and "
        "deliver the catalogue again.",
        "catalogue_refused",
        needs=(
            *("cuarentena.productos", "cuarentena.tiendas", "cuarentena.promociones"),
            *("retail.dim_producto", "retail.dim_tienda", "retail.dim_promocion"),
        ),
        is_refusal=True,
    ),
    _Query(
        "Moved from other months",
        "Rows of earlier loads that were replaced in months which the later load does not deliver.",
        "moved_from_other_months",
        needs=("staging.filas_movidas",),
    ),
    _Query(
        "Refused by file rules",
        "Rows that never reached a raw table, by reason; a row can have several.",
        "refused_by_file_rules",
    ),
    _Query(
        "Quarantined by dbt",
        "Rows that wait for what they lack; they leave by themselves when it arrives.",
        "quarantined_by_dbt",
    ),
    _Query(
        "Datos al último día completo",
        "Las vistas terminan el último día completo. Una entrega parcial no las mueve: el día se "
        "completa cuando llegan las tiendas que faltan, o cuando el catálogo las da por cerradas.",
        "complete_days",
        needs=("retail.corte", "retail.agg_ventas_dia_tienda", "retail.dim_tienda"),
    ),
    _Query(
        "Days without a sale",
        "Between the first and the last day with sales.",
        "days_without_a_sale",
        needs=("retail.mv_daily_sales_summary",),
    ),
    _Query(
        "Stores that stopped sending",
        "Open stores without a sale on the last day, the longest silent first.",
        "silent_stores",
        needs=("retail.mv_daily_store_sales", "retail.dim_tienda"),
    ),
    _Query(
        "The last seven days against the seven before",
        "By chain; up to the last complete day.",
        "last_two_weeks",
        needs=("retail.mv_daily_sales_summary", "retail.corte"),
    ),
)


def gate_report(connection_parameters: Mapping[str, str]) -> GateReport:
    """Read the report.

    Args:
        connection_parameters: libpq parameters of the target.

    Raises:
        LoadError: Nothing was ever loaded there.
    """
    with closing(connect(connection_parameters)) as connection:
        # One snapshot: a load that commits meanwhile makes no difference appear.
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            if not _exists(cursor, "staging.cargas"):
                raise LoadError("nothing was loaded into this target yet: run retail load FOLDER")
            tables = {"raw_tables": list(RAW_TABLES), "quarantined": _quarantined(cursor)}
            return GateReport(tuple(_section(cursor, query, tables) for query in _QUERIES))


def _quarantined(cursor: Cursor) -> list[str]:
    """The relations of dbt's quarantine that exist."""
    relations = (f"cuarentena.{table.subject}" for table in RAW_TABLES.values())
    return [relation for relation in relations if _exists(cursor, relation)]


def _exists(cursor: Cursor, relation: str) -> bool:
    cursor.execute("select to_regclass(%s) is not null", (relation,))
    return cursor.fetchone() == (True,)


def _section(cursor: Cursor, query: _Query, tables: Mapping[str, list[str]]) -> Section:
    missing = [relation for relation in query.needs if not _exists(cursor, relation)]
    if missing:
        return Section(query.title, f"Not there yet: {', '.join(missing)}. Run dbt build.")
    cursor.execute(render(_SQL / f"{query.file}.sql", variables=tables))
    columns = tuple(column.name for column in cursor.description or ())
    rows = cursor.fetchall()
    checked = [columns.index(name) for name in query.difference]
    broken = [row for row in rows if any(row[index] for index in checked)]
    note = query.note
    if query.difference:
        note += f" {len(rows) - len(broken):,} of {len(rows):,} without a difference."
    if len(rows) > SHOWN_ROWS:
        note += f" Shown are {SHOWN_ROWS} of {len(rows):,} rows."
    shown = tuple(tuple(row) for row in rows[:SHOWN_ROWS])
    return Section(
        query.title,
        note if rows else f"{note} None.",
        columns,
        shown,
        bool(broken),
        query.is_refusal and bool(rows),
    )
