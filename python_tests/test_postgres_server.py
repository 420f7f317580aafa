"""The embedded server: first start, second start, stop, crash, and what can be in its way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg2
import pytest
from conftest import Database, free_port, new_server, run_script

from retail_platform.errors import UserError
from retail_platform.postgres.binaries import find_binaries
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import (
    HOME_VARIABLE,
    PORT_VARIABLE,
    LocalServer,
    configured_port,
    open_server,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can switch to another user")


@pytest.fixture
def server(server_folder: Path) -> Iterator[LocalServer]:
    """A server that is not started yet."""
    server = new_server(server_folder, find_binaries())
    yield server
    server.stop()


def _write_row(server: LocalServer) -> None:
    with closing(connect(server.parameters())) as session, session, session.cursor() as cursor:
        cursor.execute("create table if not exists marca (id integer)")
        cursor.execute("insert into marca values (1)")


def _rows(server: LocalServer) -> int:
    with closing(connect(server.parameters())) as session, session, session.cursor() as cursor:
        cursor.execute("select count(*) from marca")
        [(count,)] = cursor.fetchall()
        return count


def test_a_port_leaves_room_for_those_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETAIL_OTHER_PORT", raising=False)
    assert configured_port("RETAIL_OTHER_PORT", 6000, 2) == 6000
    monkeypatch.setenv("RETAIL_OTHER_PORT", "65535")
    assert configured_port("RETAIL_OTHER_PORT", 6000) == 65535
    with pytest.raises(UserError, match="=65535: .* 1024 to 65533 is needed; the 2 workers take"):
        configured_port("RETAIL_OTHER_PORT", 6000, 2)
    monkeypatch.setenv("RETAIL_OTHER_PORT", "80")
    with pytest.raises(UserError, match="=80: a port number from 1024 to 65535 is needed."):
        configured_port("RETAIL_OTHER_PORT", 6000)


def test_every_supported_version_serves_utf8_and_loses_nothing(any_server: LocalServer) -> None:
    with closing(connect(any_server.parameters())) as session, session.cursor() as cursor:
        for setting, expected in (
            ("server_encoding", "UTF8"),
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("data_checksums", "on"),
            ("jit", "off"),
            ("listen_addresses", "127.0.0.1"),
        ):
            cursor.execute("select current_setting(%s)", [setting])
            assert cursor.fetchone() == (expected,), setting
        cursor.execute("select 'Ñ' > 'Z', upper('ñandú')")
        assert cursor.fetchone() == (True, "ÑANDÚ")


def test_the_ordinary_role_makes_databases_and_no_roles(empty_database: Database) -> None:
    rows = empty_database.query(
        "select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user"
    )
    assert rows == [(False, True, False)]


def test_the_superuser_needs_its_generated_password(embedded_server: LocalServer) -> None:
    administrator = embedded_server.admin_parameters()
    with closing(connect(administrator)) as session, session.cursor() as cursor:
        cursor.execute("select current_setting('is_superuser')")
        assert cursor.fetchone() == ("on",)
    with pytest.raises(psycopg2.OperationalError, match="password"):
        connect(administrator | {"password": "guess"})
    secret = embedded_server.home / "admin_password"
    assert secret.stat().st_mode & 0o077 == 0


def test_a_database_of_the_factory_is_fresh(
    embedded_server: LocalServer, new_database: Callable[..., Database]
) -> None:
    first = new_database(embedded_server)
    first.query("create table marca (id integer)")
    copy = new_database(embedded_server, first)
    assert copy.query("select count(*) from marca") == [(0,)]
    other = new_database(embedded_server)
    assert other.query("select to_regclass('public.marca')") == [(None,)]


def test_start_stop_start_keeps_the_data(server: LocalServer) -> None:
    assert server.status().pid is None
    assert server.stop() is False
    first = server.start()
    _write_row(server)
    assert server.start() == first, "a second start leaves the running server alone"
    assert server.stop() is True
    assert server.stop() is False
    assert server.start().pid != first.pid
    assert _rows(server) == 1


def test_a_socket_that_was_cleaned_away_is_made_again(server: LocalServer) -> None:
    server.start()
    _write_row(server)
    for path in server.sockets.iterdir():
        path.unlink()
    server.sockets.rmdir()
    server.start()
    assert (server.sockets / f".s.PGSQL.{server.port}").is_socket()
    assert _rows(server) == 1


def test_two_starts_at_once_start_one_server(server: LocalServer) -> None:
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: server.start(), range(2))
    assert one == two
    assert one.accepting


def test_committed_rows_survive_kill_9(server: LocalServer) -> None:
    pid = server.start().pid
    assert pid
    _write_row(server)
    with closing(connect(server.parameters())) as session, session.cursor() as cursor:
        cursor.execute("insert into marca values (2)")  # never committed
        os.kill(pid, signal.SIGKILL)
        # At once: the children of the dead server may still be leaving.
        assert server.start().pid != pid
    assert _rows(server) == 1


def test_a_running_recovery_is_waited_for(server: LocalServer) -> None:
    pid = server.start().pid
    assert pid
    _write_row(server)
    # A stopped server accepts nothing, like one that recovers for long; its pid file says so.
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    os.kill(pid, signal.SIGSTOP)
    pid_file.write_text("\n".join([*lines[:7], "starting", ""]))
    assert not server.status().accepting
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(server.start)
        time.sleep(1)
        assert not start.done()
        pid_file.write_text("\n".join([*lines[:7], "ready", ""]))
        os.kill(pid, signal.SIGCONT)
        assert start.result(timeout=30).pid == pid


def test_a_stale_pid_file_of_a_living_process_is_no_obstacle(server: LocalServer) -> None:
    server.start()
    _write_row(server)
    server.stop()
    # After a reboot the number may belong to any program of the same user.
    with subprocess.Popen(["sleep", "60"], **server.account.process_options) as other:
        stale = server.data / "postmaster.pid"
        stale.write_text(f"{other.pid}\n{server.data}\n1700000000\n{server.port}\n\n127.0.0.1\n")
        server.account.own(stale)
        assert server.status().pid is None
        server.start()
        assert _rows(server) == 1
        assert psutil.pid_exists(other.pid)
        other.kill()


def test_an_interrupted_first_start_is_begun_again(server: LocalServer) -> None:
    unfinished = server.home / "data.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    for path in (server.home, unfinished):
        server.account.own(path)
    server.start()
    _write_row(server)
    assert not unfinished.exists()


def test_a_taken_port_is_named_with_the_variable_that_changes_it(server: LocalServer) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.port))
        other.listen()
        with pytest.raises(UserError, match=f"Port {server.port} .*{PORT_VARIABLE}="):
            server.start()
    assert not server.data.exists(), "nothing was made"
    server.start()


def test_another_port_than_that_of_the_running_server_is_refused(server: LocalServer) -> None:
    server.start()
    with pytest.raises(UserError, match=f"runs on port {server.port}.*make db-stop"):
        replace(server, port=free_port()).start()


def test_the_data_folder_of_another_major_version_is_left_alone(server: LocalServer) -> None:
    server.start()
    server.stop()
    version = server.data / "PG_VERSION"
    version.write_text("14\n")
    with pytest.raises(UserError, match=r"PostgreSQL 14.*RETAIL_PG_BIN"):
        server.start()
    version.write_text(f"{server.binaries.major}\n")
    server.start()


@as_root
def test_a_full_disk_is_named_and_nothing_is_left_half_made(server_folder: Path) -> None:
    disk = server_folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small file system")
    server = new_server(disk, find_binaries())
    try:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(150 * 1024**2))
        with pytest.raises(UserError, match=f"MB are free.*{HOME_VARIABLE}"):
            server.start()
        ballast.unlink()
        server.start()
        _write_row(server)
        server.stop()
        # Full while it was stopped: the check before the start says so.
        with pytest.raises(OSError, match="No space"), ballast.open("wb") as file:
            while True:
                file.write(bytes(1024**2))
        with pytest.raises(UserError, match=f"MB are free.*{HOME_VARIABLE}"):
            server.start()
        ballast.unlink()
        server.start()
        assert _rows(server) == 1
    finally:
        server.stop()
        subprocess.run(["umount", disk], check=True)


@as_root
def test_root_gets_a_server_though_the_checkout_is_closed_to_others(server_folder: Path) -> None:
    closed = server_folder / "closed"
    closed.mkdir(mode=0o700)
    unreachable = find_binaries().copied_to(closed / "programs")
    server = open_server(closed / ".postgres", free_port(), unreachable)
    try:
        assert server.home.parent == Path("/var/lib")
        assert server.binaries.folder.is_relative_to(server.home)
        pid = server.start().pid
        assert pid
        assert psutil.Process(pid).uids().effective != 0
    finally:
        server.stop()
        server.remove()


@as_root
def test_a_folder_made_by_another_user_is_refused(server: LocalServer) -> None:
    server.home.mkdir()
    assert server.home.stat().st_uid == 0
    with pytest.raises(UserError, match=f"does not belong to the user {server.account.name}"):
        server.start()
    server.account.own(server.home)


def test_remove_deletes_only_a_stopped_server(server: LocalServer) -> None:
    server.start()
    with pytest.raises(UserError, match="make db-stop"):
        server.remove()
    server.stop()
    server.remove()
    assert not server.home.exists()
    server.remove()


def test_the_command_line_starts_shows_and_stops(server_folder: Path) -> None:
    port = str(free_port())
    environment = {HOME_VARIABLE: str(server_folder / "pg"), PORT_VARIABLE: port}

    def db(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run_script("db.py", *arguments, env=environment, check=check)

    assert db("status", check=False).returncode == 3
    db("start")
    try:
        assert f"port {port}" in db("status").stdout
        url = db("url").stdout
        assert url.startswith(f"postgresql://retail@127.0.0.1:{port}/retail?passfile=/")
        assert url.count("\n") == 1
        with closing(psycopg2.connect(url.strip())) as session:
            assert session.server_version >= 150000
        assert db("psql", "-Atc", "select 6 * 7").stdout == "42\n"
        assert db("check").returncode == 0
    finally:
        db("stop")
    refused = db("check", check=False)
    assert refused.returncode == 1
    assert "make db-start" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("port", ["http", "80", "70000"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    refused = run_script("db.py", "status", env={PORT_VARIABLE: port}, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: {PORT_VARIABLE}={port}")


def test_the_server_outlives_the_command_that_started_it(server_folder: Path) -> None:
    environment = {HOME_VARIABLE: str(server_folder / "pg"), PORT_VARIABLE: str(free_port())}
    started = subprocess.run(
        [sys.executable, "scripts/db.py", "start"],
        env=os.environ | {"PYTHONPATH": "."} | environment,
        start_new_session=True,
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert b"is running" in started.stdout
    assert run_script("db.py", "status", env=environment).returncode == 0
    run_script("db.py", "stop", env=environment)
