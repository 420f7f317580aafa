"""Two builds at once: one after the other, or a message that says who works."""

from contextlib import closing

import pytest
from lifecycle.world import World

from retail_platform.postgres.connection import connect

pytest_plugins = ["lifecycle.fixtures"]

# A lock of the family that builds of fact_ventas use, under a key that none of them will.
TAKE_LOCK = """
select pg_advisory_lock(hashtext('"retail"."fact_ventas"'), -1), pg_backend_pid()
"""


def test_two_builds_at_once_end_as_one(world: World):
    world.deliver("2024-01-01", rows=20)
    world.deliver("2024-04-01", rows=20)
    world.query("update origen.tiendas set nombre = 'Otra'")
    world.edit("stg_ventas.sql", "    importe\n", "    importe + 1 as importe\n")
    world.edit("resumen.sql", "sum(importe)", "max(importe)")
    parents = [world.oid("fact_ventas"), world.oid("mv_ventas_mes")]
    # Two folders, as two people have; one target folder would be shared state of dbt itself.
    runs = [
        world.start("build", env={"DBT_TARGET_PATH": str(world.project / f"target{n}")})
        for n in (1, 2)
    ]
    codes = [run.wait() for run in runs]
    assert codes == [0, 0], "\n".join(run.text() for run in runs)
    text = "".join(run.text() for run in runs)
    # The one that waited found the work done.
    assert text.count("retail.fact_ventas_p202404: build, new") == 1
    assert text.count("fact_ventas: 0 of 4 partitions to build") == 1
    assert [world.oid("fact_ventas"), world.oid("mv_ventas_mes")] == parents
    assert world.leftovers() == []
    total, raw = world.query(
        "select (select sum(importe) from retail.mv_ventas_mes), sum(importe + 1)"
        " from origen.ventas"
    )[0]
    assert total == raw
    assert "0 of 4 partitions to build" in world.dbt("build")


def test_a_build_that_may_not_wait_names_the_one_that_works(world: World):
    world.deliver("2024-01-01", rows=20)
    before = world.identity()
    with closing(world.database.connect()) as other, other.cursor() as cursor:
        cursor.execute(TAKE_LOCK)
        ((_, pid),) = cursor.fetchall()
        text = world.refuse("run", "--select", "fact_ventas", wait_for_other_build="1 second")
    assert 'another build is working on "ciclo"."retail"."fact_ventas"' in text
    assert f"(server process {pid})" in text
    assert world.identity() == before
    assert "1 of 3 partitions to build" in world.dbt("run", "--select", "fact_ventas")


def test_a_lock_that_a_reader_takes_stops_nobody(world: World):
    world.deliver("2024-01-01", rows=20)
    reader = {**world.database.parameters, "user": "curioso", "password": "curioso"}
    with closing(connect(world.database.server.admin_parameters())) as admin:
        admin.autocommit = True
        admin.cursor().execute("create role curioso login password 'curioso'")
        try:
            with closing(connect(reader)) as other, other.cursor() as cursor:
                cursor.execute(TAKE_LOCK)
                text = world.dbt("run", "--select", "fact_ventas", wait_for_other_build="1 second")
        finally:
            admin.cursor().execute("drop role curioso")
    assert "1 of 3 partitions to build" in text


@pytest.mark.full
@pytest.mark.parametrize("repetition", range(5))
def test_two_full_rebuilds_at_once_end_as_one(world: World, repetition: int):
    rows, structure = world.row_hashes(), world.structure()
    runs = [
        world.start("build", *flag, env={"DBT_TARGET_PATH": str(world.project / f"target{n}")})
        for n, flag in enumerate([["--full-refresh"], ["--full-refresh"], []])
    ]
    assert [run.wait() for run in runs] == [0, 0, 0], "\n".join(run.text() for run in runs)
    assert world.row_hashes() == rows
    assert world.structure() == structure
    assert world.leftovers() == []
