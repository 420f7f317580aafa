"""Plans are right at once: statistics are there, and only the asked partitions are read."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from lifecycle.world import World

pytest_plugins = ["lifecycle.fixtures"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan, from the top down."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def executed_tables(world: World, *statements: str) -> set[str]:
    """The partitions that the last of several statements of one session reads."""
    with closing(world.database.connect()) as session, session, session.cursor() as cursor:
        for statement in statements[:-1]:
            cursor.execute(statement)
        cursor.execute(f"explain (analyze, format json) {statements[-1]}")
        ((answer,),) = cursor.fetchall()
    plan = answer if isinstance(answer, list) else json.loads(answer)
    return {
        node["Relation Name"]
        for node in nodes(plan[0]["Plan"])
        if "Relation Name" in node and node["Actual Loops"] > 0
    }


def planned_rows(world: World, query: str) -> float:
    """How many rows the planner expects."""
    ((answer,),) = world.query(f"explain (format json) {query}")
    return answer[0]["Plan"]["Plan Rows"]


@pytest.mark.parametrize(
    "statements",
    [
        ["select count(*) from retail.fact_ventas where fecha = '2024-02-10'"],
        [
            "set plan_cache_mode = force_generic_plan",
            "prepare de_un_dia (date) as select count(*) from retail.fact_ventas where fecha = $1",
            "execute de_un_dia ('2024-02-10')",
        ],
        [
            "select count(*) from retail.fact_ventas"
            " where fecha >= (select max(mes) from retail.mv_ventas_mes where mes < '2024-03-01')"
            " and fecha < (select date '2024-03-01')"
        ],
    ],
    ids=["constant", "parameter of a generic plan", "scalar subquery"],
)
def test_only_the_asked_partition_is_read(world: World, statements: list[str]):
    read = executed_tables(world, *statements) - {"mv_ventas_mes"}
    assert read == {"fact_ventas_p202402"}
    assert executed_tables(world, "select count(*) from retail.fact_ventas") == {
        "fact_ventas_p202401",
        "fact_ventas_p202402",
        "fact_ventas_p202403",
    }


def test_the_table_and_its_partitions_have_statistics_that_follow_the_rows(world: World):
    tables = ("fact_ventas", "agg_ventas_dia")
    world.deliver("2024-04-01", rows=700)
    world.dbt("run")
    for table in tables:
        for name in [table, *world.partitions(table)]:
            # PostgreSQL marks statistics over the whole tree, which autovacuum never gathers.
            described = world.value(
                "select count(*) from pg_catalog.pg_stats"
                " where schemaname = 'retail' and tablename = %s and inherited = %s",
                name,
                name == table,
            )
            columns, expected = world.query(
                "select relnatts, reltuples from pg_catalog.pg_class where oid = %s::regclass",
                f"retail.{name}",
            )[0]
            assert described == columns, name
            assert expected == world.value(f"select count(*) from retail.{name}"), name
    in_store = "select * from retail.fact_ventas where tienda_id = 2"
    actual = world.value(f"select count(*) from ({in_store}) as t")
    assert planned_rows(world, in_store) == pytest.approx(actual, rel=0.1)


@pytest.fixture
def year(world: World) -> World:
    """Twelve months: one more is less than the tenth that makes PostgreSQL 15 analyse all."""
    for month in range(4, 13):
        world.deliver(f"2024-{month:02}-01")
    world.dbt("run", "--select", "fact_ventas")
    return world


def test_one_more_month_analyses_no_other_partition(year: World):
    counts = (
        "select relname::text, analyze_count from pg_stat_all_tables"
        " where schemaname = 'retail' and relname ~ '^fact_ventas_p' order by 1"
    )
    before = year.query(counts)
    year.deliver("2025-01-01")
    year.dbt("run", "--select", "fact_ventas")
    assert len(before) == 12
    assert year.query(counts)[:12] == before


def test_the_table_is_analysed_again_when_small_changes_have_added_up(year: World):
    analysed = (
        "select last_analyze from pg_stat_all_tables where relid = 'retail.fact_ventas'::regclass"
    )
    before = year.value(analysed)
    for day in ("2025-01-01", "2024-02-28"):
        year.deliver(day)
        year.dbt("run", "--select", "fact_ventas")
    assert year.value(analysed) > before


def test_a_materialized_view_has_statistics_after_it_is_refreshed(world: World):
    world.deliver("2024-04-01")
    world.dbt("run")
    assert world.value("select reltuples from pg_class where relname = 'mv_ventas_mes'") == 20
