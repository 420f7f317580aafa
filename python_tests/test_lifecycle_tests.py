"""The data tests: a build tests what changed until it passes, `dbt test` tests everything."""

from lifecycle.world import World

pytest_plugins = ["lifecycle.fixtures"]

EXPRESSION = """\
      - pg_lifecycle.expressions_hold:
          arguments: {period: fecha, expressions: {importe: "importe >= 0"}}
"""


def with_expression(world: World) -> None:
    """Give the fact a rule of its rows that the database does not hold itself, and let it pass."""
    world.edit("fact_ventas.yml", "    data_tests:\n", "    data_tests:\n" + EXPRESSION)
    world.dbt("test")


def test_a_build_tests_a_changed_partition_until_it_passes(world: World):
    with_expression(world)
    world.query("update origen.ventas set importe = -1 where venta_id = 1")
    world.touch("2024-01-01")
    failed = "FAIL 1 pg_lifecycle_expressions_hold_fact_ventas"
    assert failed in world.refuse("build")
    # Nothing is built any more, and the failure is not forgotten.
    text = world.refuse("build")
    assert "fact_ventas: 0 of 3 partitions to build" in text
    assert failed in text
    world.query("update origen.ventas set importe = 1 where venta_id = 1")
    world.touch("2024-01-01")
    world.dbt("build")
    assert world.leftovers() == []


def test_a_build_looks_only_at_what_changed_and_a_test_at_everything(world: World):
    with_expression(world)
    # Behind dbt's back: what a build tested stays tested, by design; `dbt test` looks anew.
    world.query("update retail.fact_ventas set importe = -1 where venta_id = 1")
    world.dbt("build", "--select", "fact_ventas")
    assert "FAIL 1 pg_lifecycle_expressions_hold_fact_ventas" in world.refuse(
        "test", "--select", "fact_ventas"
    )
    world.refuse("build", "--select", "fact_ventas", test_all=True)


def test_the_catalog_tests_find_gaps_hidden_rows_and_lost_constraints(world: World):
    world.query(
        """
        alter table retail.fact_ventas detach partition retail.fact_ventas_p202402;
        create table retail.fact_ventas_resto partition of retail.fact_ventas default;
        alter table retail.fact_ventas drop constraint fact_ventas_unidades_check
        """
    )
    text = world.refuse("test", "--select", "fact_ventas")
    # The gap before March, and the DEFAULT partition where rows could hide.
    assert "FAIL 2 pg_lifecycle_partitions_contiguous_fact_ventas_" in text
    # On the table and on its three partitions.
    assert "FAIL 4 pg_lifecycle_constraints_enforced_fact_ventas_" in text


def test_a_build_looks_at_the_periods_of_a_view_that_it_read_anew(world: World):
    world.edit(
        "mv_ventas_mes.yml",
        "    columns:\n",
        "    data_tests:\n" + EXPRESSION.replace("fecha", "mes") + "    columns:\n",
    )
    world.dbt("test")
    world.query("update origen.ventas set importe = -1000000 where venta_id = 1")
    world.touch("2024-01-01")
    failed = "FAIL 1 pg_lifecycle_expressions_hold_mv_ventas_mes"
    assert failed in world.refuse("build")
    january = "(mes >= '2024-01-01 00:00:00' and mes < '2024-02-01 00:00:00')"
    assert f"({january})" in compiled_test(world, "mv_ventas_mes")
    # The view is up to date now, and the failure is not forgotten.
    assert failed in world.refuse("build")
    world.query("update origen.ventas set importe = 1 where venta_id = 1")
    world.touch("2024-01-01")
    world.dbt("build")
    world.dbt("build")
    assert "where\n    false" in compiled_test(world, "mv_ventas_mes")
    # Another SELECT may be wrong anywhere.
    world.edit("mv_ventas_mes.sql", "config(", "config(on_dependants='rebuild',")
    world.edit("mv_ventas_mes.sql", "sum(importe)", "-sum(importe)")
    assert "expressions_hold_mv_ventas_mes" in world.refuse("build")
    whole = january.replace("02-01", "04-01")
    assert f"({whole})" in compiled_test(world, "mv_ventas_mes")


def compiled_test(world: World, model: str) -> str:
    """The SQL of a model's `expressions_hold` as the last run compiled it."""
    [path] = world.database.folder.glob(
        f"target/compiled/**/pg_lifecycle_expressions_hold_{model}*.sql"
    )
    return path.read_text(encoding="utf-8")
