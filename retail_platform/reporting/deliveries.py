"""The state of the deliveries: is every row accounted for, what was refused, what is missing.

The report reads the ledger, the raw tables and what dbt made of them; it changes nothing. A part
whose relations dbt has not built yet says so instead of failing.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from retail_platform.loading.errors import LoadError
from retail_platform.loading.ledger import COMPLETE
from retail_platform.loading.tables import RAW_TABLES
from retail_platform.reporting.rendering import GateReport, Section
from retail_platform.targets import connect

SHOWN_ROWS = 20


@dataclass(frozen=True)
class _Query:
    """A section to be read.

    Attributes:
        title: Heading.
        note: What the section says.
        sql: A query; ``{crudas}`` and ``{cuarentena}`` stand for rows by load.
        needs: Relations without which it is left out.
        difference: Columns that must be zero in every row.
    """

    title: str
    note: str
    sql: str
    needs: tuple[str, ...] = ()
    difference: tuple[str, ...] = ()


_LINE_TOTAL = "round(unidades * precio_unitario * (1 - descuento_pct / 100), 2)"

_QUERIES = (
    _Query(
        "Deliveries",
        "All loads by table; failed loads left nothing behind but their row in the ledger.",
        """
        select tabla as "table", estado as state, count(*) as files,
               sum(filas_entregadas) as delivered, sum(filas_rechazadas) as refused,
               round(100.0 * sum(filas_rechazadas) / nullif(sum(filas_entregadas), 0), 3)
                   as "refused %",
               min(fecha_min) as "first day", max(fecha_max) as "last day",
               max(terminada_en)::timestamptz(0) as "last load"
        from staging.cargas group by tabla, estado order by tabla, estado
        """,
    ),
    _Query(
        "Failed loads",
        "The newest first; correct what the error says and load the file again.",
        f"""
        select carga_id as load, archivo as file, iniciada_en::timestamptz(0) as started,
               filas_entregadas as delivered, filas_rechazadas as refused, error
        from staging.cargas c
        where estado <> '{COMPLETE}' and not exists (
            select from staging.cargas later
            where later.tabla = c.tabla and later.archivo = c.archivo
            and later.estado = '{COMPLETE}' and later.carga_id > c.carga_id
        )
        order by carga_id desc
        """,
    ),
    _Query(
        "Every row accounted for, by load",
        "delivered = refused by file rules + superseded by later loads + quarantined by dbt + "
        "accepted. Loads with a difference come first, then the newest.",
        f"""
        select c.carga_id as load, c.archivo as file, c.filas_entregadas as delivered,
               coalesce(a.filas, 0) as refused, c.filas_sustituidas as superseded,
               coalesce(q.filas, 0) as quarantined,
               coalesce(r.filas, 0) - coalesce(q.filas, 0) as accepted,
               c.filas_entregadas - coalesce(a.filas, 0) - c.filas_sustituidas
                   - coalesce(r.filas, 0) as difference
        from staging.cargas c
        left join (
            select carga_id, count(distinct fila) as filas
            from cuarentena.filas_archivo group by carga_id
        ) a using (carga_id)
        left join ({{crudas}}) r using (carga_id)
        left join ({{cuarentena}}) q using (carga_id)
        where c.estado = '{COMPLETE}'
        order by c.filas_entregadas - coalesce(a.filas, 0) - c.filas_sustituidas
            - coalesce(r.filas, 0) <> 0 desc, c.carga_id desc
        """,
        difference=("difference",),
    ),
    _Query(
        "Sales accounted for, by month",
        "Raw rows and money against fact + quarantine, to the cent. Months with a difference come "
        "first; if a load is newer than the last dbt build, build again.",
        f"""
        select mes as month, sum(filas) filter (where parte = 'raw') as delivered,
               coalesce(sum(filas) filter (where parte = 'fact'), 0) as fact,
               coalesce(sum(filas) filter (where parte = 'quarantine'), 0) as quarantined,
               coalesce(sum(importe) filter (where parte = 'fact'), 0) as sales,
               sum(filas * signo) as "rows missing", sum(importe * signo) as "money missing"
        from (
            select 'raw' as parte, 1 as signo, date_trunc('month', fecha_venta)::date as mes,
                   count(*) as filas, sum({_LINE_TOTAL}) as importe
            from staging.raw_ventas group by 3
            union all
            select 'fact', -1, date_trunc('month', fecha_venta)::date, count(*), sum(total_linea)
            from retail.fact_ventas group by 3
            union all
            select 'quarantine', -1, date_trunc('month', fecha_venta)::date,
                   count(*), sum({_LINE_TOTAL})
            from cuarentena.ventas group by 3
        ) partes
        group by mes
        order by sum(filas * signo) <> 0 or sum(importe * signo) <> 0 desc, mes desc
        """,
        needs=("retail.fact_ventas", "cuarentena.ventas"),
        difference=("rows missing", "money missing"),
    ),
    _Query(
        "Moved from other months",
        "Rows of earlier loads that were replaced in months which the later load does not deliver.",
        """
        select m.carga_id as load, c.archivo as file, m.tabla as "table",
               to_char(m.mes, 'YYYY-MM') as "month before", e.archivo as "was in file",
               m.filas as rows
        from staging.filas_movidas m
        join staging.cargas c on c.carga_id = m.carga_id
        join staging.cargas e on e.carga_id = m.carga_anterior
        order by m.carga_id desc, m.mes
        """,
        needs=("staging.filas_movidas",),
    ),
    _Query(
        "Refused by file rules",
        "Rows that never reached a raw table, by reason; a row can have several.",
        """
        select f.motivo as reason, f.tabla as "table", count(*) as refusals,
               count(distinct (f.carga_id, f.fila)) as rows,
               (array_agg(
                   f.archivo || ' row ' || f.fila || coalesce(', ' || f.columna, '') || ': '
                   || coalesce(left(f.texto_original, 60), '(empty)')
                   order by f.carga_id desc, f.fila
               ))[1] as example
        from cuarentena.filas_archivo f
        group by f.motivo, f.tabla order by refusals desc
        """,
    ),
    _Query(
        "Quarantined by dbt",
        "Rows that wait for what they lack; they leave by themselves when it arrives.",
        """
        select motivo as reason, c.tabla as "table", count(*) as rows,
               (array_agg(
                   c.archivo || ' row ' || q.fila order by q.carga_id desc, q.fila
               ))[1] as example
        from ({cuarentena_filas}) q
        join staging.cargas c using (carga_id), unnest(q.motivos) as motivo
        group by motivo, c.tabla order by rows desc
        """,
    ),
    _Query(
        "Days without a sale",
        "Between the first and the last day with sales.",
        """
        select dia::date as day, to_char(dia, 'FMDay') as weekday
        from (
            select generate_series(min(fecha), max(fecha), interval '1 day') as dia
            from retail.mv_daily_sales_summary
        ) dias
        where dia::date not in (select fecha from retail.mv_daily_sales_summary)
        order by dia desc
        """,
        needs=("retail.mv_daily_sales_summary",),
    ),
    _Query(
        "Stores that stopped sending",
        "Open stores without a sale on the last day, the longest silent first.",
        """
        with ultimas as (
            select tienda_id, max(fecha) as fecha
            from retail.mv_daily_store_sales group by tienda_id
        )
        select t.codigo_tienda as store, t.nombre_tienda as name, t.cadena as chain,
               u.fecha as "last sale", corte.fecha - u.fecha as "days silent"
        from retail.dim_tienda t
        cross join (select max(fecha) as fecha from ultimas) corte
        left join ultimas u using (tienda_id)
        where t.activo and (t.fecha_cierre is null or t.fecha_cierre > corte.fecha)
            and t.fecha_apertura <= corte.fecha and u.fecha is distinct from corte.fecha
        order by u.fecha nulls first, t.codigo_tienda
        """,
        needs=("retail.mv_daily_store_sales", "retail.dim_tienda"),
    ),
    _Query(
        "The last seven days against the seven before",
        "By chain; up to the last day with sales.",
        """
        select cadena as chain,
               sum(total_ventas) filter (where hace < 7) as sales,
               sum(total_ventas) filter (where hace >= 7) as before,
               round(100 * (sum(total_ventas) filter (where hace < 7)
                   / nullif(sum(total_ventas) filter (where hace >= 7), 0) - 1), 1) as "change %",
               sum(numero_tickets) filter (where hace < 7) as tickets,
               sum(numero_tickets) filter (where hace >= 7) as "tickets before"
        from (
            select *, max(fecha) over () - fecha as hace from retail.mv_daily_sales_summary
        ) dias
        where hace < 14
        group by cadena order by cadena
        """,
        needs=("retail.mv_daily_sales_summary",),
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
                raise LoadError(
                    "nothing was loaded into this target yet: run scripts/load.py FOLDER"
                )
            parts = _parts(cursor)
            return GateReport(tuple(_section(cursor, query, parts) for query in _QUERIES))


def _parts(cursor: Cursor) -> dict[str, str]:
    """The queries over all tables: rows by load in the raw tables and in dbt's quarantine."""
    raw = [f"select carga_id from staging.{table}" for table in RAW_TABLES]
    quarantined = [
        f"select carga_id, fila, motivos from cuarentena.{table.subject}"
        for table in RAW_TABLES.values()
        if _exists(cursor, f"cuarentena.{table.subject}")
    ]
    nothing = (
        "select null::bigint as carga_id, null::bigint as fila, null::text[] as motivos limit 0"
    )
    rows = " union all ".join(quarantined or [f"({nothing})"])
    count = "select carga_id, count(*) as filas from ({}) filas group by carga_id"
    return {
        "crudas": count.format(" union all ".join(raw)),
        "cuarentena": count.format(rows),
        "cuarentena_filas": rows,
    }


def _exists(cursor: Cursor, relation: str) -> bool:
    cursor.execute("select to_regclass(%s) is not null", (relation,))
    return cursor.fetchone() == (True,)


def _section(cursor: Cursor, query: _Query, parts: Mapping[str, str]) -> Section:
    missing = [relation for relation in query.needs if not _exists(cursor, relation)]
    if missing:
        return Section(query.title, f"Not there yet: {', '.join(missing)}. Run dbt build.")
    cursor.execute(query.sql.format(**parts))
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
    return Section(query.title, note if rows else f"{note} None.", columns, shown, bool(broken))
