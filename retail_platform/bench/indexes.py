"""What each index is for, what its query costs without it, and what other indexes would do.

An index is dropped inside a transaction that is rolled back, so the database stays as it was;
meanwhile readers of the table wait. The fact is vacuumed first, as autovacuum does some time after
a build: without it an index-only scan has to look into the table all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from psycopg2.extensions import connection

from retail_platform.bench.measure import (
    Measurement,
    Plan,
    alternate,
    explain,
    fetch,
    indexes_used,
    milliseconds,
    render,
    summarise,
)

log = logging.getLogger(__name__)

# What could stand in place of the fact's index: name -> what follows CREATE INDEX ON <table>.
ALTERNATIVES: Mapping[str, str | None] = {
    "none": None,
    "b-tree (tienda_id, fecha_venta)": "using btree (tienda_id, fecha_venta)",
    "b-tree (producto_id, fecha_venta)": "using btree (producto_id, fecha_venta)",
    "covering (tienda_id, fecha_venta)": "using btree (tienda_id, fecha_venta)"
    " include (producto_id, ticket_id, unidades, total_linea)",
    "BRIN (fecha_venta)": "using brin (fecha_venta) with (pages_per_range = 32)",
    "BRIN (tienda_id, fecha_venta)": "using brin (tienda_id, fecha_venta)"
    " with (pages_per_range = 32)",
}

# Indexes of schema retail; those of partitions belong to that of their parent.
_INDEXES = """
    select
        own.relname::text as name,
        parent.relname::text as on_table,
        pg_get_indexdef(own.oid) as definition,
        case
            when pg_index.indisprimary then 'primary key'
            when pg_constraint.oid is not null then 'unique key'
            when pg_index.indisunique then 'refresh concurrently'
            else 'queries'
        end as purpose,
        (
            select coalesce(sum(pg_relation_size(relid)), 0)::bigint
            from (select relid from pg_partition_tree(own.oid) union select own.oid) as tree (relid)
        ) as bytes
    from pg_index
    inner join pg_class as own on own.oid = pg_index.indexrelid
    inner join pg_class as parent on parent.oid = pg_index.indrelid
    left join pg_constraint on pg_constraint.conindid = own.oid and contype in ('p', 'u')
    where own.relnamespace = 'retail'::regnamespace and not own.relispartition
    order by parent.relname, own.relname
"""


def statements_of(analyses: Path) -> dict[str, str]:
    """All analyses, the four questions in both forms and the ad hoc queries: name -> SQL.

    Args:
        analyses: Their folder.
    """
    files = [*sorted(analyses.glob("q?_*.sql")), *sorted((analyses / "ad_hoc").glob("*.sql"))]
    return {path.stem: render(path) for path in files}


def measure_indexes(session: connection, analyses: Path, repeats: int) -> list[Measurement]:
    """For each index: its size, its purpose, and its queries' times with and without it.

    Args:
        session: A session of the owner.
        analyses: Folder of the statements that use the indexes.
        repeats: Runs that count.

    Returns:
        One entry for each index of a table as a whole (those of partitions belong to it), with
        ``queries``: name -> [ms with, ms without]. Keys are not dropped: they hold the rules.
    """
    vacuum(session)
    statements = statements_of(analyses)
    used_by = {name: _indexes_of(session, sql) for name, sql in statements.items()}
    results = []
    for name, table, definition, purpose, size in fetch(session, _INDEXES):
        users = [query for query, indexes in used_by.items() if name in indexes]
        queries = {}
        if purpose in ("queries", "refresh concurrently"):
            for query in users:
                log.info("%s without %s", query, name)
                queries[query] = _with_and_without(session, name, statements[query], repeats)
        entry = {"name": name, "table": table, "definition": definition, "purpose": purpose}
        results.append(entry | {"bytes": size, "used_by": users, "queries": queries})
    return results


def measure_alternatives(session: connection, analyses: Path, repeats: int) -> Measurement:
    """What each of `ALTERNATIVES` on the fact costs and what each ad hoc query gains.

    Args:
        session: A session of the owner.
        analyses: Folder of the statements.
        repeats: Runs that count.

    Returns:
        ``size_mb`` and ``build_s`` of each alternative, and ``ms``: query -> alternative ->
        median, for the queries that read the fact.
    """
    vacuum(session)
    statements = {
        name: sql
        for name, sql in statements_of(analyses).items()
        if "retail.fact_ventas" in sql and not name.startswith("q")
    }
    plans: dict[str, dict[str, list[Plan]]] = {name: {} for name in statements}
    results: Measurement = {"size_mb": {}, "build_s": {}, "ms": {}}
    for alternative, definition in ALTERNATIVES.items():
        log.info("fact_ventas with %s", alternative)
        with _fact_index(session, definition) as (seconds, size):
            results["size_mb"][alternative], results["build_s"][alternative] = size, seconds
            for name, runs in alternate(
                lambda sql: explain(session, sql), statements, repeats
            ).items():
                plans[name][alternative] = runs
    for name, by_alternative in plans.items():
        results["ms"][name] = {
            alternative: summarise([milliseconds(plan) for plan in runs])["median"]
            for alternative, runs in by_alternative.items()
        }
    return results


def vacuum(session: connection) -> None:
    """VACUUM the facts and their dimensions; it runs in no transaction.

    Args:
        session: A session of the owner, in no transaction.
    """
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute("vacuum retail.fact_ventas, retail.fact_inventario")
    session.autocommit = False


def _indexes_of(session: connection, statement: str) -> set[str]:
    """Indexes that a statement used, those of partitions by their parent's name."""
    used = indexes_used(explain(session, statement))
    session.rollback()
    rows = fetch(
        session,
        """
        select child.relname::text, coalesce(parent.relname, child.relname)::text
        from pg_class as child
        left join pg_inherits on inhrelid = child.oid
        left join pg_class as parent on parent.oid = inhparent
        where child.relkind in ('i', 'I') and child.relnamespace = 'retail'::regnamespace
        """,
    )
    return {parent for child, parent in rows if child in used}


def _with_and_without(
    session: connection, index: str, statement: str, repeats: int
) -> dict[str, float]:
    """Median times in ms of a statement with an index and without it."""

    def run(state: str) -> Plan:
        if state == "without":
            fetch_open(session, f"drop index retail.{index}")
        plan = explain(session, statement)
        session.rollback()
        return plan

    plans = alternate(run, {"with": "with", "without": "without"}, repeats)
    return {
        state: summarise([milliseconds(plan) for plan in runs])["median"]
        for state, runs in plans.items()
    }


@contextmanager
def _fact_index(session: connection, definition: str | None) -> Iterator[tuple[float, float]]:
    """The fact with one index in place of its own, until the end of the block.

    Yields:
        Seconds of building it and its size in MB.
    """
    own = [
        name
        for name, table, _, purpose, _ in fetch(session, _INDEXES)
        if table == "fact_ventas" and purpose == "queries"
    ]
    try:
        for name in own:
            fetch_open(session, f"drop index retail.{name}")
        seconds, size = 0.0, 0.0
        if definition:
            [[begun]] = fetch_open(session, "select clock_timestamp()")
            fetch_open(session, f"create index bench_idx on retail.fact_ventas {definition}")
            [[ended, size]] = fetch_open(
                session,
                """
                select clock_timestamp(), sum(pg_relation_size(relid)) / 1024.0 / 1024
                from pg_partition_tree('retail.bench_idx')
                """,
            )
            seconds = (ended - begun).total_seconds()
        yield round(seconds, 2), round(float(size), 1)
    finally:
        session.rollback()


def fetch_open(session: connection, statement: str) -> list[tuple]:
    """Run a statement in the open transaction and return its rows.

    Args:
        session: An open session.
        statement: SQL.
    """
    with session.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
