"""What each index is for, what its query costs without it, and what other indexes would do.

An index is taken away by dropping it inside a transaction that is rolled back, so it costs nothing
to take turns; meanwhile readers of the table wait. The fact is vacuumed first, as autovacuum does
some time after a build: without it an index-only scan has to look into the table all the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from psycopg2.extensions import connection

from retail_platform.bench.measure import Measurement, alternate, indexes_used, summarise
from retail_platform.reporting.statements import Plan, explain, fetch, milliseconds, render

log = logging.getLogger(__name__)

PREFIX = "bench_idx_"

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

    All of them are built, then each run has only one of them. They are dropped at the end, or by
    the next run if this one is killed.

    Args:
        session: A session of the owner.
        analyses: Folder of the statements.
        repeats: Runs that count.

    Returns:
        ``size_mb`` and ``build_s`` of each alternative, and ``ms``: query -> alternative ->
        median, for the queries that read the fact.
    """
    statements = {
        name: sql
        for name, sql in statements_of(analyses).items()
        if "retail.fact_ventas" in sql and not name.startswith("q")
    }
    own = {
        name
        for name, table, _, purpose, _ in fetch(session, _INDEXES)
        if table == "fact_ventas" and purpose == "queries" and not name.startswith(PREFIX)
    }
    built = {name: f"{PREFIX}{number}" for number, name in enumerate(ALTERNATIVES)}
    results: Measurement = {"size_mb": {"none": 0.0}, "build_s": {"none": 0.0}, "ms": {}}
    try:
        for alternative, definition in ALTERNATIVES.items():
            fetch(session, f"drop index if exists retail.{built[alternative]}")
            if definition:
                log.info("build %s", alternative)
                seconds, size = _build(session, built[alternative], definition)
                results["build_s"][alternative] = round(seconds, 2)
                results["size_mb"][alternative] = round(size, 1)
        vacuum(session)
        existing = own | {built[name] for name, definition in ALTERNATIVES.items() if definition}
        for query, statement in statements.items():
            log.info("%s with each of them", query)
            runs_of = alternate(
                partial(_explain_with_one, session, statement, existing),
                {name: built[name] for name in ALTERNATIVES},
                repeats,
            )
            results["ms"][query] = {
                name: summarise([milliseconds(plan) for plan in runs])["median"]
                for name, runs in runs_of.items()
            }
    finally:
        session.rollback()
        for name in built.values():
            fetch(session, f"drop index if exists retail.{name}")
    return results


def _build(session: connection, name: str, definition: str) -> tuple[float, float]:
    """Create an index on the fact; seconds and MB."""
    begun = time.perf_counter()
    fetch(session, f"create index {name} on retail.fact_ventas {definition}")
    seconds = time.perf_counter() - begun
    [[size]] = fetch(
        session,
        f"select sum(pg_relation_size(relid)) / 1048576.0 from pg_partition_tree('retail.{name}')",
    )
    return seconds, float(size)


def _explain_with_one(session: connection, statement: str, existing: set[str], kept: str) -> Plan:
    """Run a statement with one of the existing indexes, or with none."""
    return _explain_without(session, existing - {kept}, statement)


def _explain_without(session: connection, indexes: set[str], statement: str) -> Plan:
    """Run a statement while some indexes are not there."""
    try:
        with session.cursor() as cursor:
            if indexes:
                names = ", ".join(f"retail.{name}" for name in sorted(indexes))
                cursor.execute(f"drop index {names}")
            # Planned once before it counts: after a drop the catalog's entries are read anew.
            cursor.execute(f"explain {statement}")
        return explain(session, statement)
    finally:
        session.rollback()


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
    states: dict[str, set[str]] = {"with": set(), "without": {index}}
    plans = alternate(
        lambda state: _explain_without(session, states[state], statement),
        {state: state for state in states},
        repeats,
    )
    return {
        state: summarise([milliseconds(plan) for plan in runs])["median"]
        for state, runs in plans.items()
    }
