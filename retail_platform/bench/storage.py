"""Sizes of tables and indexes, the cost of refreshing each view, and who reads what."""

from __future__ import annotations

import time

from psycopg2.extensions import connection

from retail_platform.bench.measure import Measurement, summarise
from retail_platform.reporting.statements import fetch


def measure_sizes(session: connection) -> list[Measurement]:
    """Size of each relation of the platform, its partitions included.

    Args:
        session: An open session.

    Returns:
        Schema, name, partitions, estimated rows, bytes of the table and of its indexes, largest
        first.
    """
    columns = ("schema", "name", "partitions", "rows", "table_bytes", "index_bytes")
    rows = fetch(
        session,
        """
        select
            nspname::text,
            root.relname::text,
            count(*) filter (where part.relkind = 'r' and part.oid != root.oid),
            sum(greatest(part.reltuples, 0)) filter (where part.relkind != 'p')::bigint,
            sum(pg_table_size(part.oid))::bigint,
            sum(pg_indexes_size(part.oid))::bigint
        from pg_class as root
        inner join pg_namespace on pg_namespace.oid = root.relnamespace
        cross join lateral (
            select relid from pg_partition_tree(root.oid)
            union
            select root.oid
        ) as tree (relid)
        inner join pg_class as part on part.oid = tree.relid
        where nspname in ('staging', 'retail', 'cuarentena')
            and root.relkind in ('r', 'p', 'm')
            and not root.relispartition
        group by nspname, root.relname
        order by sum(pg_total_relation_size(part.oid)) desc
        """,
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


def measure_refreshes(session: connection, repeats: int) -> list[Measurement]:
    """Time of REFRESH ... CONCURRENTLY of each materialized view, when nothing changed in it.

    Args:
        session: A session of the owner.
        repeats: Runs that count, after one that does not.
    """
    views = fetch(
        session,
        """
        select relname::text, reltuples::bigint
        from pg_class
        where relkind = 'm' and relnamespace = 'retail'::regnamespace
        order by relname
        """,
    )
    results = []
    for view, rows in views:
        times = []
        for turn in range(repeats + 1):
            begun = time.perf_counter()
            fetch(session, f"refresh materialized view concurrently retail.{view}")
            if turn:
                times.append(1000 * (time.perf_counter() - begun))
        results.append({"view": view, "rows": rows, "ms": summarise(times)})
    return results
