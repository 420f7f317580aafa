"""The life cycle on a Citus cluster: placement, exchange under readers, kills, operations."""

import logging
from collections.abc import Callable
from contextlib import closing

import pytest
from citus_cluster import kill, placements, readers_of_every_node, wait_until
from lifecycle import pause
from lifecycle.dbt_process import DbtProcess
from lifecycle.world import World

from retail_platform.postgres.cluster import Cluster
from retail_platform.postgres.connection import connect

pytest_plugins = ["citus_fixtures"]
pytestmark = pytest.mark.citus

# What a reader may wait for a lock, seconds: the bound.
LONGEST_WAIT = 0.25
BUILD = ("build", "--threads", "1")
SALES = "select count(*), sum(importe)::text from retail.fact_ventas"
RAW_SALES = "select count(*), sum(importe)::text from origen.ventas"

MONTHS = """
select date_trunc('month', fecha)::date::text, count(*), sum(importe)::text
from retail.fact_ventas group by 1 order by 1
"""


def test_a_project_lies_where_its_config_says_and_follows_its_sources(citus_world: World):
    citus_world.dbt("build")
    assert placements(citus_world.database) == {
        "fact_ventas": "venta_id",
        "dim_tienda": "reference",
        "agg_ventas_dia": None,
    }
    assert citus_world.query(SALES) == citus_world.query(RAW_SALES)
    text = citus_world.dbt("build")
    assert "retail.fact_ventas: 0 of 3 partitions to build" in text
    assert "on the coordinator only, by config" in text and "agg_ventas_dia" in text

    citus_world.deliver("2024-04-01")
    citus_world.deliver("2024-01-01", rows=5)
    citus_world.query("update origen.tiendas set nombre = 'Otra' where tienda_id = 1")
    text = citus_world.dbt("build")
    assert "retail.fact_ventas: 2 of 4 partitions to build" in text
    assert citus_world.query(SALES) == citus_world.query(RAW_SALES)
    assert citus_world.value("select nombre from retail.dim_tienda where tienda_id = 1") == "Otra"
    assert citus_world.leftovers() == []


def test_a_table_that_lies_elsewhere_is_named_and_left_alone(citus_world: World):
    citus_world.dbt("build")
    before = citus_world.files()
    project = citus_world.project / "dbt_project.yml"
    project.write_text(project.read_text().replace("venta_id", "tienda_id"))
    text = citus_world.refuse("run", "--select", "fact_ventas")
    assert "on the cluster it is distributed by venta_id, the model wants it distributed by" in text
    assert "retire_relation" in text
    assert citus_world.files() == before

    # One that a run does not select is found when the run ends.
    text = " ".join(citus_world.refuse("run", "--select", "dim_tienda").split())
    assert '"retail"."fact_ventas" is distributed by venta_id, model fact_ventas wants' in text


def test_rows_that_break_a_constraint_are_named_and_nothing_is_published(citus_world: World):
    citus_world.dbt("build")
    published = citus_world.query(MONTHS)
    sale = citus_world.value("select min(venta_id) from origen.ventas where fecha >= '2024-02-01'")
    for damage, message, repair in (
        ("unidades = -4", "fact_ventas_unidades_check", "unidades = 1"),
        ("importe = null", "importe", "importe = 5"),
        ("tienda_id = 99", "fact_ventas_tienda_id_fkey", "tienda_id = 2"),
    ):
        citus_world.query(f"update origen.ventas set {damage} where venta_id = %s", sale)
        citus_world.touch("2024-02-01")
        text = " ".join(citus_world.refuse("run", "--select", "fact_ventas").split())
        assert "fact_ventas_p202402 is not published: rows break" in text
        assert message in text
        assert citus_world.query(MONTHS) == published
        citus_world.query(f"update origen.ventas set {repair} where venta_id = %s", sale)
    citus_world.dbt("run", "--select", "fact_ventas")
    assert citus_world.query(SALES) == citus_world.query(RAW_SALES)
    assert citus_world.leftovers() == []


def test_readers_of_every_node_see_whole_months_and_hardly_wait(
    cluster: Cluster, citus_world: World
):
    citus_world.dbt("build")
    states = set(citus_world.query(MONTHS))
    queries = {
        "months": MONTHS,
        "stores": "select count(*) from retail.dim_tienda",
        "joined": "select count(*) from retail.fact_ventas"
        " join retail.dim_tienda using (tienda_id)",
    }
    with readers_of_every_node(cluster, citus_world.database, queries) as seen:
        for month, rows in (("2024-01-01", 40), ("2024-04-01", 300), ("2024-05-01", 300)):
            citus_world.deliver(month, rows=rows)
            citus_world.dbt("run")
            states |= set(citus_world.query(MONTHS))
        citus_world.dbt("run", "--full-refresh")
    assert seen.errors == []
    assert all(count > 10 for count in seen.counts.values()), seen.counts
    for (node, name), answers in seen.answers.items():
        for answer in answers:
            if name == "months":
                assert set(answer) <= states, (node, answer)
                assert len(answer) >= 3
    finding = (
        f"{seen.counts} answers; a reader waited {1000 * seen.longest_wait:.0f} ms for a lock, "
        f"the machine itself stalled for {1000 * seen.longest_stall:.0f} ms at most"
    )
    logging.getLogger(__name__).info(finding)
    assert seen.longest_wait <= LONGEST_WAIT + seen.longest_stall, finding


def kill_client(cluster: Cluster, world: World, run: DbtProcess) -> None:
    """SIGKILL to dbt; its session goes on until it wants to answer."""
    run.kill()
    pause.release(world)


def kill_worker(cluster: Cluster, world: World, run: DbtProcess) -> None:
    """A worker goes down and comes back; the build ends with an error."""
    kill(cluster.workers[0])
    pause.release(world)
    assert run.wait() != 0, run.text()
    assert "Traceback" not in run.text()
    cluster.workers[0].start()


def kill_coordinator(cluster: Cluster, world: World, run: DbtProcess) -> None:
    """The coordinator goes down and comes back."""
    kill(cluster.coordinator)
    assert run.wait() != 0, run.text()
    cluster.coordinator.start()
    pause.release(world)


def prepared(cluster: Cluster) -> int:
    """Transactions that some node has prepared and neither committed nor rolled back."""
    count = 0
    for node in cluster.nodes:
        with closing(connect(node.admin_parameters("ciclo"))) as session, session:
            with session.cursor() as cursor:
                cursor.execute("select count(*) from pg_prepared_xacts")
                count += cursor.fetchall()[0][0]
    return count


@pytest.mark.parametrize("die", [kill_client, kill_worker, kill_coordinator])
def test_a_build_that_loses_a_part_of_the_cluster_ends_as_if_nothing_had_happened(
    cluster: Cluster, citus_world: World, die: Callable[[Cluster, World, DbtProcess], None]
):
    citus_world.dbt(*BUILD)
    pause.install(citus_world)
    citus_world.deliver("2024-01-01", rows=40)
    citus_world.deliver("2024-04-01", rows=40)
    # Where statements come: while a month is filled, and in the middle of its exchange.
    for point in (3, 12, 20):
        pause.arm(citus_world, point)
        run = citus_world.start(*BUILD)
        pause.wait_until_paused(citus_world, run)
        die(cluster, citus_world, run)
        wait_until(lambda: prepared(cluster) == 0, "prepared transactions are settled")
        assert citus_world.value("select count(*) from retail.fact_ventas") >= 180
    pause.arm(citus_world, 0)
    citus_world.dbt(*BUILD)
    assert citus_world.query(SALES) == citus_world.query(RAW_SALES)
    assert citus_world.leftovers() == []
    assert "0 of 4 partitions to build" in citus_world.dbt(*BUILD)


def test_operations_work_on_distributed_partitions(citus_world: World):
    citus_world.dbt("build")
    arguments = "{model: fact_ventas, periods: 1, dry_run: false}"
    citus_world.dbt("run-operation", "premake_partitions", "--args", arguments)
    made = citus_world.partitions()
    assert len(made) > 3
    text = citus_world.dbt("run-operation", "report_partitions", "--args", "{model: fact_ventas}")
    (line,) = [line for line in text.splitlines() if "fact_ventas_p202401" in line]
    assert "60" in line and " 0 bytes" not in line and "tested" in line

    arguments = "{model: fact_ventas, before: 2024-02-01, dry_run: false}"
    citus_world.dbt("run-operation", "detach_partitions", "--args", arguments)
    assert "fact_ventas_p202401" not in citus_world.partitions()
    assert citus_world.value("select count(*) from archivo.fact_ventas_p202401") == 60
    assert "fact_ventas_p202401: build" not in citus_world.dbt("run", "--select", "fact_ventas")
