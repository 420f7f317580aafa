"""Cost follows change: what a build touches, and what it leaves alone to the last byte."""

import pytest
from lifecycle.world import World, keep_as_template

pytest_plugins = ["lifecycle.fixtures"]


FEBRUARY = "fecha >= '2024-02-01' and fecha < '2024-03-01'"
ROW_WRITES = """
    select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_all_tables
    where relname !~ '^pg_statistic'  -- autovacuum's ANALYZE writes there whenever it likes
"""


def partitions(*months: str) -> set[str]:
    """The partitions of the fact and its aggregate for months such as ``202401``."""
    return {f"{table}_p{month}" for table in ("fact_ventas", "agg_ventas_dia") for month in months}


def test_second_build_writes_nothing(world: World):
    before, rows = world.identity(), world.row_hashes()
    xmins = "select xmin::text from retail.{} order by 1"
    versions = [world.query(xmins.format(table)) for table in ("fact_ventas", "dim_tienda")]
    text = world.dbt("build")
    assert "fact_ventas: 0 of 3 partitions to build" in text
    assert "mv_ventas_mes: up to date" in text
    assert "build," not in text
    assert world.identity() == before
    assert world.row_hashes() == rows
    assert [world.query(xmins.format(t)) for t in ("fact_ventas", "dim_tienda")] == versions


def test_a_copy_of_the_database_under_another_name_is_not_built_again(world: World):
    copy = keep_as_template(world, "copia")
    text = copy.dbt("build")
    assert "fact_ventas: 0 of 3 partitions to build" in text
    assert "mv_ventas_mes: up to date" in text
    assert "build," not in text


def test_second_run_writes_no_row_in_any_table_or_catalog(world: World):
    world.query("select pg_stat_force_next_flush()")
    before = world.value(ROW_WRITES)
    world.dbt("run")
    world.query("select pg_stat_force_next_flush()")
    assert world.value(ROW_WRITES) == before


@pytest.mark.parametrize(
    ("month", "reason"),
    [("2024-04-01", "new"), ("2024-01-01", "the source changed"), ("2026-07-01", "new")],
    ids=["new month", "late file", "months left out"],
)
def test_only_the_month_that_arrived_is_built(world: World, month: str, reason: str):
    before, suffix = world.files(), month[:7].replace("-", "")
    oids = [world.oid(name) for name in ("fact_ventas", "agg_ventas_dia", "mv_ventas_mes")]
    world.deliver(month, rows=30)
    text = world.dbt("run")
    assert world.rebuilt(before) == partitions(suffix)
    assert f"retail.fact_ventas_p{suffix}: build, {reason}\n" in text
    assert "mv_ventas_mes: refresh concurrently" in text
    assert [world.oid(name) for name in ("fact_ventas", "agg_ventas_dia", "mv_ventas_mes")] == oids
    assert world.value("select count(*) from retail.fact_ventas") == 210
    assert world.value("select sum(ventas) from retail.resumen") == 210


def test_corrected_rows_reach_the_fact_the_aggregate_and_the_views(world: World):
    before = world.files()
    world.query(f"update origen.ventas set importe = 7 where {FEBRUARY}")
    world.query(f"delete from origen.ventas where {FEBRUARY} and venta_id % 2 = 0")
    world.touch("2024-02-01")
    world.dbt("run")
    assert world.rebuilt(before) == partitions("202402")
    counted = (30, 210)
    assert world.query(
        f"select count(*), sum(importe) from retail.fact_ventas where {FEBRUARY}"
    ) == [counted]
    assert world.query("select ventas, importe from retail.resumen where mes = '2024-02-01'") == [
        counted
    ]


def test_a_version_without_rows_makes_an_empty_partition(world: World):
    world.touch("2024-04-01")
    world.query(f"delete from origen.ventas where {FEBRUARY}")
    world.touch("2024-02-01")
    world.dbt("run")
    assert world.value("select count(*) from retail.fact_ventas_p202404") == 0
    assert world.value("select count(*) from retail.fact_ventas_p202402") == 0
    assert "0 of 4 partitions" in world.dbt("run", "--select", "fact_ventas")


def test_reformatting_is_no_change_and_changed_sql_is(world: World):
    before = world.files()
    world.edit("fact_ventas.sql", "    importe\n", "\timporte  -- una nota\n  /* otra\n nota */\n")
    world.edit("stg_ventas.sql", "    importe\n", "  importe   -- otra nota\n")
    assert "0 of 3 partitions to build" in world.dbt("run")
    assert world.rebuilt(before) == set()

    world.edit("fact_ventas.sql", "importe  --", "importe * 2 as importe  --")
    text = world.dbt("run")
    assert text.count("build, the SQL of the model changed") == 3
    assert world.rebuilt(before) == partitions("202401", "202402", "202403")
    raw = world.value("select sum(importe) from origen.ventas")
    assert world.value("select sum(importe) from retail.resumen") == 2 * raw


def test_changed_sql_of_a_view_upstream_rebuilds_what_reads_it(world: World):
    before = world.files()
    world.edit("stg_ventas.sql", "    importe\n", "    importe + 1 as importe\n")
    text = world.dbt("run")
    assert text.count("fact_ventas_p20240") == text.count("build, the source changed") / 2 == 3
    assert world.rebuilt(before) == partitions("202401", "202402", "202403")
    raw = world.value("select sum(importe + 1) from origen.ventas")
    assert world.value("select sum(importe) from retail.resumen") == raw


def test_a_changed_dimension_reaches_only_what_reads_it(world: World):
    before, state = world.files(), "select obj_description('retail.dim_tienda'::regclass)"
    kept = world.value(state)
    world.query("update origen.tiendas set nombre = 'Nueva' where tienda_id = 2")
    world.query("insert into origen.tiendas values (6, 'Tienda 6')")
    world.query("delete from origen.tiendas where tienda_id = 3")
    xmins = dict(world.query("select tienda_id, xmin::text from retail.dim_tienda"))
    assert "0 of 3 partitions to build" in world.dbt("run")
    assert world.value(state) != kept
    assert world.rebuilt(before) == set()
    assert dict(world.query("select tienda_id, nombre from retail.dim_tienda")) == {
        n: "Nueva" if n == 2 else f"Tienda {n}" for n in range(1, 7)
    }
    now = dict(world.query("select tienda_id, xmin::text from retail.dim_tienda"))
    assert {n for n in now if now[n] != xmins.get(n)} == {2, 6}


def test_full_refresh_rebuilds_everything_and_drops_nothing(world: World):
    before, rows, structure = world.identity(), world.row_hashes(), world.structure()
    text = world.dbt("run", "--full-refresh")
    assert text.count("build, full refresh") == 6
    assert "mv_ventas_mes: refresh concurrently" in text
    files = {name: values[1] for name, values in before.items()}
    assert world.rebuilt(files) == partitions("202401", "202402", "202403")
    kept = ("fact_ventas", "agg_ventas_dia", "dim_tienda", "mv_ventas_mes", "resumen", "stg_ventas")
    assert {name: world.oid(name) for name in kept} == {name: before[name][0] for name in kept}
    assert world.row_hashes() == rows
    assert world.structure() == structure


def test_rebuild_range_names_the_months_by_hand(world: World):
    before = world.files()
    text = world.dbt("run", rebuild_range=["2024-02-10", "2024-02-10"])
    assert "retail.fact_ventas_p202402: build, asked for by rebuild_range" in text
    assert world.rebuilt(before) == partitions("202402")
    before = world.files()
    world.dbt("run", "--vars", "{rebuild_range: [2024-02-10, 2024-03-01]}")
    assert world.rebuilt(before) == partitions("202402", "202403")


def test_also_rebuild_names_months_by_a_query(world: World):
    world.write_macro(
        "pendientes",
        "relation",
        "{%- if adapter.get_relation(target.database, 'origen', 'pendientes') %}"
        "select dia as lower from {{ source('origen', 'ventas').schema }}.pendientes{% endif -%}",
    )
    world.edit(
        "fact_ventas.sql",
        "granularity': 'month'},",
        "granularity': 'month'},\n    also_rebuild='pendientes',",
    )
    before = world.files()
    assert "0 of 3" in world.dbt("run", "--select", "fact_ventas")
    world.query("create table origen.pendientes as select date '2024-03-17' as dia")
    text = world.dbt("run")
    assert "retail.fact_ventas_p202403: build, asked for by also_rebuild" in text
    assert world.rebuilt(before) == partitions("202403")
