"""The four business questions, three ways: the seed's, the partitioned fact, the view.

*heap* is the seed's way: the rows of the facts in one plain table each, without index or
partitions, analysed, read with the SQL that the question needs then. *fact* is the same SQL on the
fact as built (partitions, keys, indexes). *view* is the materialized view. In all three the last
day with sales comes from the same small table; the seed had the clock for it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from psycopg2.extensions import connection

from retail_platform.bench.measure import (
    Measurement,
    alternate,
    megabytes_touched,
    outline,
    relations_read,
    require_equal_answers,
    summarise,
)
from retail_platform.reporting.statements import Plan, explain, fetch, milliseconds, render

log = logging.getLogger(__name__)

HEAP = {name: f"bench.{name}" for name in ("fact_ventas", "fact_inventario")}
Connect = Callable[[], connection]
VARIANTS = ("heap", "fact", "view")


def question_variants(analyses: Path) -> dict[str, dict[str, str]]:
    """The SQL of each question in each variant.

    Args:
        analyses: The folder with ``q1_*.sql`` and ``q1_*_fact.sql``.

    Returns:
        Question (``q1_ventas_diarias``) -> variant -> SQL.
    """
    found = {}
    for on_fact in sorted(analyses.glob("q?_*_fact.sql")):
        on_view = on_fact.with_name(on_fact.name.replace("_fact.sql", ".sql"))
        statements = (render(on_fact, HEAP), render(on_fact), render(on_view))
        found[on_view.stem] = dict(zip(VARIANTS, statements, strict=True))
    return found


@contextmanager
def heap_tables(connect: Connect) -> Iterator[None]:
    """The seed's tables, in a schema ``bench`` that is dropped afterwards.

    Args:
        connect: Opens a session that may create schemas.
    """
    with closing(connect()) as session:
        fetch(session, "drop schema if exists bench cascade; create schema bench")
        for name, heap in HEAP.items():
            log.info("%s: a plain copy without index", heap)
            fetch(session, f"create table {heap} as select * from retail.{name}")
            fetch(session, f"analyze {heap}")
    try:
        yield
    finally:
        with closing(connect()) as session:
            fetch(session, "drop schema if exists bench cascade")


def measure_questions(
    connect: Connect,
    analyses: Path,
    repeats: int,
    restart_cold: Callable[[], None] | None,
    plans_folder: Path,
) -> Measurement:
    """Time the questions, warm and cold, after checking that the variants agree.

    Args:
        connect: Opens a session.
        analyses: The folder of the statements.
        repeats: Runs that count, of each variant and temperature.
        restart_cold: Restarts the server with its files out of the system's cache, or none.
        plans_folder: Where the full plans go, as JSON.

    Returns:
        Question -> rows, and variant -> warm and cold times in ms, memory touched in MB, partitions
        read of the facts and the outline of the plan.
    """
    questions = question_variants(analyses)
    plans_folder.mkdir(parents=True, exist_ok=True)
    rows, warm = {}, {}
    with heap_tables(connect):
        with closing(connect()) as session:
            partitions = partition_parents(session)
            for question, variants in questions.items():
                log.info("%s", question)
                rows[question] = require_equal_answers(session, variants)
                warm[question] = alternate(lambda sql: explain(session, sql), variants, repeats)
        cold = _measure_cold(connect, questions, repeats, restart_cold) if restart_cold else {}
    results: Measurement = {}
    for question, variants in questions.items():
        results[question] = {"rows": rows[question], "variants": {}}
        for variant in variants:
            plans = warm[question][variant]
            (plans_folder / f"{question}_{variant}.json").write_text(json.dumps(plans[-1]))
            entry = {
                "warm_ms": summarise([milliseconds(plan) for plan in plans]),
                "touched_mb": megabytes_touched(plans[-1]),
                "partitions": partitions_read(plans[-1], partitions),
                "plan": outline(plans[-1]["Plan"]),
            }
            if cold:
                entry["cold_ms"] = summarise(cold[question][variant])
            results[question]["variants"][variant] = entry
    return results


def _measure_cold(
    connect: Connect,
    questions: dict[str, dict[str, str]],
    repeats: int,
    restart_cold: Callable[[], None],
) -> dict[str, dict[str, list[float]]]:
    def run(statement: str) -> Plan:
        restart_cold()
        with closing(connect()) as session:
            return explain(session, statement)

    times: dict[str, dict[str, list[float]]] = {}
    for question, variants in questions.items():
        log.info("%s, cold", question)
        plans = alternate(run, variants, repeats, warm_up=0)
        times[question] = {name: [milliseconds(plan) for plan in plans[name]] for name in variants}
    return times


def partition_parents(session: connection) -> dict[str, str]:
    """Partition -> its partitioned table, in schema ``retail``.

    Args:
        session: An open session.
    """
    return dict(
        fetch(
            session,
            """
            select child.relname::text, parent.relname::text
            from pg_inherits
            inner join pg_class as child on child.oid = inhrelid
            inner join pg_class as parent on parent.oid = inhparent
            where parent.relkind = 'p' and parent.relnamespace = 'retail'::regnamespace
            """,
        )
    )


def partitions_read(plan: Plan, parents: dict[str, str]) -> dict[str, list[int]]:
    """Partitions that a plan read, by table.

    Args:
        plan: An executed plan.
        parents: From `partition_parents`.

    Returns:
        Table -> [partitions read, partitions there are], for the tables in the plan.
    """
    read = [parents[name] for name in relations_read(plan) if name in parents]
    total = list(parents.values())
    return {table: [read.count(table), total.count(table)] for table in sorted(set(read))}
