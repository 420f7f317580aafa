"""Stops a build at a chosen statement, inside its transaction, so that a test can kill it there.

An event trigger counts the DDL statements of a database, those inside DO blocks too. At the chosen
one the backend marks itself by its application_name and waits. Sequences hold the numbers, because
they are outside of transactions: another session sees and sets them at once.
"""

from __future__ import annotations

import time
from contextlib import closing

from lifecycle.dbt_process import DbtProcess
from lifecycle.world import World
from retail_platform.postgres.connection import connect

PAUSED = "en pausa"
TIMEOUT_SECONDS = 120

INSTALL = f"""
create schema pausa;
create sequence pausa.contador;
create sequence pausa.objetivo minvalue 0 start 0;
create function pausa.contar() returns event_trigger language plpgsql as $$
declare
    number constant bigint := nextval('pausa.contador');
begin
    if number = (select last_value from pausa.objetivo) then
        perform set_config('application_name', '{PAUSED}', false);
        while number = (select last_value from pausa.objetivo) loop
            perform pg_sleep(0.01);
        end loop;
    end if;
end
$$;
create event trigger pausa on ddl_command_end execute function pausa.contar();
grant usage on schema pausa to public;
grant usage, select, update on all sequences in schema pausa to public;
"""


def install(world: World) -> None:
    """Install the counter; only the superuser may."""
    server, name = world.database.server, world.database.parameters["dbname"]
    with closing(connect(server.admin_parameters(name))) as session, session:
        with session.cursor() as cursor:
            cursor.execute(INSTALL)


def arm(world: World, point: int) -> None:
    """Count from one again and stop at statement number ``point``; 0 stops nowhere."""
    world.query("select setval('pausa.contador', 1, false), setval('pausa.objetivo', %s)", point)


def counted(world: World) -> int:
    """How many statements were counted since `arm`."""
    return world.value("select last_value from pausa.contador where is_called")


def release(world: World) -> None:
    """Let the waiting backend go on."""
    world.query("select setval('pausa.objetivo', 0)")


def wait_until_paused(world: World, run: DbtProcess) -> int:
    """Wait until the build has come to the point, and return its server process.

    Raises:
        AssertionError: If the build ends before.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        rows = world.query(
            "select pid from pg_catalog.pg_stat_activity"
            " where datname = current_database() and application_name = %s",
            PAUSED,
        )
        if rows:
            return rows[0][0]
        assert run.process.is_alive(), f"the build ended before the point\n{run.text()}"
        time.sleep(0.02)
    raise AssertionError(f"the build did not come to the point\n{run.text()}")
