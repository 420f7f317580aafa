"""What readers may ask of a build: what is published, in which version, and whether it is at work.

One world for the module; each test leaves it built.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import new_server
from lifecycle import pause
from lifecycle.dbt_process import DbtProcess
from lifecycle.world import World, create_world
from psycopg2.extensions import connection

from retail_platform.errors import UserError
from retail_platform.postgres.binaries import find_binaries
from retail_platform.postgres.connection import connect

VIEW = """{{ config(materialized='view') }}
select
    name, kind::text as kind, published_at, version, sources, rows, is_tested, is_building,
    data_through
from ({{ pg_lifecycle.published_relations(this.schema) }}) as published
"""
# Reads another view and a relation that dbt did not make.
SECOND_VIEW = """{{ config(materialized='view') }}
select mes from {{ ref('resumen') }} union all select current_date where false
"""
TABLES = {"agg_ventas_dia", "dim_tienda", "fact_ventas", "mv_ventas_mes"}
SERVERS = [None, pytest.param(15, marks=pytest.mark.full)]


@pytest.fixture(scope="module", params=SERVERS, ids=["18", "15"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A built world with a view of what is published, on a server of its own."""
    try:
        binaries = find_binaries(major=request.param)
    except UserError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("publicado")
    server_folder = Path(f"/tmp/retail-test-{folder.name}-{id(folder)}")
    server_folder.mkdir()
    server_folder.chmod(0o755)
    server = new_server(server_folder, binaries)
    try:
        server.start()
        made = create_world(server, folder)
        made.write("publicado.sql", VIEW)
        made.write("segundo.sql", SECOND_VIEW)
        made.write_macro("hasta", "", "(select max(fecha) from {{ ref('agg_ventas_dia') }})")
        made.edit("mv_ventas_mes.sql", "indexes=", "data_through='hasta', indexes=")
        with closing(connect(server.admin_parameters())) as admin, admin:
            admin.cursor().execute("alter role lector login password 'lector'")
        made.dbt("build")
        made.query("grant usage on schema retail to lector")
        yield made
    finally:
        server.stop("immediate")
        shutil.rmtree(server_folder, ignore_errors=True)


def as_reader(world: World) -> connection:
    """A session that may read what is published and nothing else."""
    return connect({**world.database.parameters, "user": "lector", "password": "lector"})


def published(world: World) -> dict[str, dict[str, Any]]:
    """What a reader is told: relation -> column -> value."""
    with closing(as_reader(world)) as session, session, session.cursor() as cursor:
        cursor.execute("select * from retail.publicado")
        columns = [column.name for column in cursor.description or ()]
        return {row[0]: dict(zip(columns, row, strict=True)) for row in cursor.fetchall()}


def changed(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> set[str]:
    """The relations whose version differs, or that are new or gone."""
    names = before.keys() | after.keys()
    return {
        name
        for name in names
        if before.get(name, {}).get("version") != after.get(name, {}).get("version")
    }


def test_everything_that_was_published_is_listed(world: World):
    now = published(world)
    assert now.keys() == TABLES | {"stg_ventas", "resumen", "publicado", "segundo"}
    assert {name: row["kind"] for name, row in now.items() if name in TABLES} == {
        "agg_ventas_dia": "p",
        "dim_tienda": "r",
        "fact_ventas": "p",
        "mv_ventas_mes": "m",
    }
    for name in TABLES:
        assert now[name]["rows"] == world.value(f"select count(*) from retail.{name}"), name
    assert now["resumen"]["rows"] is None
    # The only one that has tests; a view is what it reads.
    assert {name for name, row in now.items() if row["is_tested"]} == {"fact_ventas"}
    assert not any(row["is_building"] for row in now.values())
    last = str(world.value("select max(fecha) from origen.ventas"))
    assert now["mv_ventas_mes"]["data_through"] == now["resumen"]["data_through"] == last
    assert now["segundo"]["data_through"] == last
    assert now["fact_ventas"]["data_through"] is None
    assert {row["published_at"] for row in now.values()} >= {now["resumen"]["published_at"]}


def test_a_build_with_nothing_new_changes_nothing(world: World):
    before = published(world)
    world.dbt("build")
    assert published(world) == before


def test_a_part_of_a_build_changes_that_part(world: World):
    before = published(world)
    world.deliver("2024-02-01", rows=7)
    world.dbt("run", "--select", "fact_ventas")
    after = published(world)
    assert changed(before, after) == {"fact_ventas"}
    assert after["fact_ventas"]["rows"] == before["fact_ventas"]["rows"] + 7
    assert after["fact_ventas"]["published_at"] > before["fact_ventas"]["published_at"]
    assert after["fact_ventas"]["sources"] != before["fact_ventas"]["sources"]
    assert not after["fact_ventas"]["is_tested"]
    world.dbt("build")
    built = published(world)
    # A view changes with what it reads, through another view too.
    assert changed(after, built) == {"agg_ventas_dia", "mv_ventas_mes", "resumen", "segundo"}
    assert built["fact_ventas"]["is_tested"]


def test_a_failed_test_leaves_its_relation_untested(world: World):
    before = published(world)
    world.deliver("2024-03-01", rows=5)
    failing = world.project / "tests" / "falla.sql"
    failing.parent.mkdir()
    failing.write_text("select * from {{ ref('fact_ventas') }}")
    assert "Failure in test falla" in world.refuse("build")
    failing.unlink()
    after = published(world)
    assert changed(before, after) == {"fact_ventas"}
    assert not after["fact_ventas"]["is_tested"]
    world.dbt("build")
    again = published(world)
    assert changed(after, again) == {"agg_ventas_dia", "mv_ventas_mes", "resumen", "segundo"}
    assert again["fact_ventas"]["is_tested"]


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def _kill(run: DbtProcess) -> None:
    processes = [run.process.pid, *(c.pid for c in psutil.Process(run.process.pid).children(True))]
    for pid in processes:
        psutil.Process(pid).send_signal(signal.SIGKILL)
    run.process.join()


def test_a_build_at_work_is_seen_until_it_ends_or_dies(world: World):
    before = published(world)
    pause.install(world)
    world.deliver("2024-01-01", rows=3)
    pause.arm(world, 1)
    run = world.start("run", "--threads", "1", "--select", "fact_ventas", "agg_ventas_dia")
    backend = pause.wait_until_paused(world, run)
    at_work = published(world)
    assert {name for name, row in at_work.items() if row["is_building"]} == {"fact_ventas"}
    assert changed(before, at_work) == set()
    _kill(run)
    # The server notices a client's death when it next writes to it; the lock goes with the session.
    world.query("select pg_terminate_backend(%s)", backend)
    _until(lambda: not any(row["is_building"] for row in published(world).values()))
    assert changed(before, published(world)) == set()
    pause.release(world)
    world.dbt("build")
    assert published(world)["fact_ventas"]["rows"] == before["fact_ventas"]["rows"] + 3


def test_a_lock_that_a_reader_takes_is_no_build(world: World):
    with closing(world.database.connect()) as session, session, session.cursor() as cursor:
        cursor.execute("""select pg_advisory_lock(hashtext('"retail"."fact_ventas"'), 1)""")
        assert published(world)["fact_ventas"]["is_building"]  # the owner's
    with closing(as_reader(world)) as session, session, session.cursor() as cursor:
        cursor.execute("""select pg_advisory_lock(hashtext('"retail"."fact_ventas"'), 1)""")
        assert not published(world)["fact_ventas"]["is_building"]


def test_what_is_taken_away_or_renamed_is_as_the_catalog_has_it(world: World):
    before = published(world)
    detach = "{model: agg_ventas_dia, before: 2024-02-01, dry_run: false}"
    world.dbt("run-operation", "detach_partitions", "--args", detach)
    after = published(world)
    assert changed(before, after) == {"agg_ventas_dia"}
    assert after["agg_ventas_dia"]["rows"] == world.value(
        "select count(*) from retail.agg_ventas_dia"
    )
    world.query("alter view retail.segundo rename to tercero; drop view retail.resumen cascade")
    renamed = published(world)
    assert renamed.keys() == before.keys() - {"resumen", "segundo"}
    world.query("create table retail.ajena (x integer); comment on table retail.ajena is 'mine'")
    world.query("""comment on table retail.dim_tienda is 'dbt_state: {"version": 1'""")
    assert published(world).keys() == renamed.keys() - {"dim_tienda"}
    world.dbt("build")
    assert published(world).keys() == before.keys()
