"""A build that is killed at any statement: the next one ends as if nothing had happened."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from conftest import LEFT_OUT_15, running_server
from lifecycle import pause
from lifecycle.dbt_process import DbtProcess
from lifecycle.world import World, create_world, keep_as_template

from retail_platform.errors import UserError
from retail_platform.postgres.binaries import find_binaries
from retail_platform.postgres.server import LocalServer

# One thread, so that statement number n is the same statement in every run.
BUILD = ("build", "--threads", "1")


@dataclass(frozen=True)
class Pending:
    """A built world with changes of every kind that wait for the next build.

    Attributes:
        template: To be copied by each test.
        statements: How many statements the build takes.
        row_hashes: The rows after an undisturbed build.
        structure: Everything else after an undisturbed build.
    """

    template: World
    statements: int
    row_hashes: dict[str, str]
    structure: list[tuple]


SERVERS = [None, pytest.param(15, marks=pytest.mark.full)]


@pytest.fixture(scope="module", params=SERVERS, ids=["18", "15"])
def killable_server(request: pytest.FixtureRequest) -> Iterator[LocalServer]:
    """A server of this module's own: version 18, in the full suite also 15."""
    try:
        binaries = find_binaries(major=request.param)
    except UserError:
        pytest.skip(LEFT_OUT_15)
    yield from running_server(binaries)


@pytest.fixture(scope="module")
def pending(killable_server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Pending:
    """The world to kill builds in."""
    world = create_world(killable_server, tmp_path_factory.mktemp("pendiente"))
    world.edit("mv_ventas_mes.sql", "indexes=", "on_dependants='rebuild',\n    indexes=")
    world.dbt(*BUILD)

    world.deliver("2024-04-01", rows=30)
    world.deliver("2024-01-01", rows=5)
    world.query("update origen.tiendas set nombre = 'Otra' where tienda_id = 1")
    world.edit("fact_ventas.sql", "    importe\n", "    importe,\n    importe * 2 as doble\n")
    column = '      - {name: doble, data_type: "numeric(12, 2)"}\n    data_tests:\n'
    world.edit("fact_ventas.yml", "    data_tests:\n", column)
    more = "['tienda_id', 'fecha']}, {'columns': ['doble']}"
    world.edit("fact_ventas.sql", "['tienda_id', 'fecha']}", more)
    world.edit("mv_ventas_mes.sql", "sum(importe)", "sum(importe + 1)")
    world.edit("resumen.sql", "    sum(ventas) as ventas,\n", "")
    pause.install(world)
    template = keep_as_template(world, "ciclo_pendiente")

    pause.arm(world, 0)
    world.dbt(*BUILD)
    statements = pause.counted(world)
    assert world.leftovers() == []
    return Pending(template, statements, world.row_hashes(), world.structure())


def kill_client(world: World, run: DbtProcess, pid: int) -> None:
    """SIGKILL to dbt; its server process goes on until it wants to answer."""
    run.kill()
    pause.release(world)


def terminate_backend(world: World, run: DbtProcess, pid: int) -> None:
    """An administrator ends the session; dbt is told so."""
    world.query("select pg_terminate_backend(%s)", pid)
    assert run.wait() != 0
    assert "Traceback" not in run.text()
    pause.release(world)


def kill_server(world: World, run: DbtProcess, pid: int) -> None:
    """SIGKILL to every process of the server, as when the machine goes down."""
    server = world.database.server
    postmaster = psutil.Process(server.status().pid)
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        # The others may end by themselves between the first kill and theirs.
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes)
    assert run.wait() != 0
    server.start()
    pause.release(world)


def survive(
    pending: Pending, folder: Path, kill: Callable[[World, DbtProcess, int], None], point: int
) -> None:
    """Kill a build at one statement, build again, and compare with an undisturbed build."""
    world = create_world(pending.template.database.server, folder, pending.template)
    pause.arm(world, point)
    run = world.start(*BUILD)
    kill(world, run, pause.wait_until_paused(world, run))
    world.dbt(*BUILD)
    assert world.leftovers() == []
    assert world.row_hashes() == pending.row_hashes
    assert world.structure() == pending.structure


KILLS = [kill_client, terminate_backend, kill_server]


@pytest.mark.parametrize("kill", KILLS)
def test_the_next_build_ends_as_if_nothing_had_happened(
    pending: Pending, tmp_path: Path, kill: Callable[[World, DbtProcess, int], None]
):
    # Each way and version at a point of its own: the fast suite sees them spread over the run.
    number = 2 * KILLS.index(kill) + (pending.template.database.server.binaries.major == 15)
    survive(pending, tmp_path, kill, 1 + int((number + 0.5) / 6 * pending.statements))


@pytest.mark.full
@pytest.mark.parametrize("kill", KILLS)
@pytest.mark.parametrize("number", range(24))
def test_the_next_build_ends_as_if_nothing_had_happened_at_every_point(
    pending: Pending, tmp_path: Path, kill: Callable[[World, DbtProcess, int], None], number: int
):
    survive(pending, tmp_path, kill, 1 + number * (pending.statements - 1) // 23)
