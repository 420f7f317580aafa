"""The embedded server against other users of the machine and against its own application role.

docs/security.md names the test of each of its sentences.
"""

from __future__ import annotations

import multiprocessing
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg2
import pytest
from conftest import PROJECT, new_server, run_script
from psycopg2 import errors

from retail_platform.errors import UserError
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import HOME_VARIABLE, PORT_VARIABLE, LocalServer

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

OLD_HBA = """\
host  all  postgres  127.0.0.1/32  scram-sha-256
host  all  all       127.0.0.1/32  trust
"""


@pytest.fixture
def own_server(any_server: LocalServer, server_folder: Path) -> Iterator[LocalServer]:
    """A server of a test, of each version; not started yet."""
    server = new_server(server_folder, any_server.binaries)
    yield server
    server.stop("immediate")


def _by_socket(server: LocalServer, user: str = "retail") -> dict[str, str]:
    place = {"host": str(server.sockets), "port": str(server.port), "passfile": "/dev/null"}
    return place | {"user": user, "dbname": "retail"}


def _query(parameters: dict[str, str], statement: str) -> list[tuple]:
    with closing(connect(parameters)) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _as_somebody_else(action: Callable[[], object]) -> str:
    """What happens to another user of the machine: the error's text, or that there was none."""

    def child(answers: Connection) -> None:
        other = pwd.getpwnam("daemon")
        os.setgroups([])
        os.setgid(other.pw_gid)
        os.setuid(other.pw_uid)
        try:
            action()
            answers.send("it worked")
        except Exception as error:  # the test compares its text
            answers.send(f"{type(error).__name__}: {error}")

    forked = multiprocessing.get_context("fork")
    ours, theirs = forked.Pipe()
    process = forked.Process(target=child, args=(theirs,))
    process.start()
    text = ours.recv()
    process.join()
    return str(text)


@as_root
def test_another_user_of_the_machine_gets_nothing(any_server: LocalServer) -> None:
    by_tcp = any_server.parameters()
    del by_tcp["password"]
    tried = {
        "socket": lambda: connect(_by_socket(any_server)),
        "tcp": lambda: connect(by_tcp),
        "url": lambda: psycopg2.connect(any_server.url()),
        "admin": lambda: connect(by_tcp | {"user": "postgres"}),
        "secret": lambda: any_server.passfile.read_text(),
        "admin secret": lambda: (any_server.home / "admin_password").read_text(),
        "files": lambda: list(any_server.home.iterdir()),
        "log": lambda: any_server.log.read_text(),
    }
    found = {name: _as_somebody_else(action) for name, action in tried.items()}
    for name in ("tcp", "url", "admin"):
        assert "no password supplied" in found.pop(name)
    assert all("ermission denied" in text for text in found.values()), found
    # Not by the folder's mode alone: who enters it is not taken for the owner.
    any_server.sockets.chmod(0o755)
    try:
        entered = _as_somebody_else(lambda: connect(_by_socket(any_server)))
    finally:
        any_server.sockets.chmod(0o700)
    assert "Peer authentication failed" in entered


def test_its_owner_needs_no_password(any_server: LocalServer) -> None:
    assert _query(_by_socket(any_server), "select current_user::text") == [("retail",)]
    # But for the ordinary role only.
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        connect(_by_socket(any_server, "postgres"))


def test_the_url_finds_its_password_by_itself(any_server: LocalServer) -> None:
    assert any_server.parameters()["password"] not in any_server.url()
    with closing(psycopg2.connect(any_server.url())) as session, session.cursor() as cursor:
        cursor.execute("select inet_server_addr()::text")
        assert cursor.fetchone() == ("127.0.0.1/32",)


def test_tcp_takes_the_right_password_and_no_rule_trusts(any_server: LocalServer) -> None:
    for role in (any_server.parameters(), any_server.admin_parameters()):
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            connect(role | {"password": "guess"})
    rules = _query(any_server.admin_parameters(), "select auth_method from pg_hba_file_rules")
    assert {method for (method,) in rules} == {"peer", "scram-sha-256"}
    assert _query(
        any_server.admin_parameters(),
        "select rolpassword ~ '^SCRAM-SHA-256' from pg_authid "
        "where rolname in ('postgres', 'retail')",
    ) == [(True,)] * len(("postgres", "retail"))


def test_secrets_are_readable_by_the_owner_only(any_server: LocalServer) -> None:
    for path in (any_server.home, any_server.sockets, any_server.data):
        assert path.stat().st_mode & 0o077 == 0, path
        assert path.stat().st_uid == any_server.account.uid
    for path in (any_server.passfile, any_server.home / "admin_password", any_server.log):
        assert path.stat().st_mode & 0o177 == 0, path


@pytest.mark.parametrize(
    "statement",
    [
        "grant pg_execute_server_program to retail",
        "grant pg_read_server_files to retail",
        "alter role retail superuser",
        "alter role retail createrole",
        "alter role postgres password 'x'",
        "create role intruder in role pg_execute_server_program",
        "create role intruder",
        "set role postgres",
        "set session authorization postgres",
        "copy (select 1) to program 'true'",
        "copy (select 1) to '/tmp/x'",
        "select pg_read_file('/etc/passwd')",
        "select lo_import('/etc/passwd')",
        "select rolpassword from pg_authid",
        "alter system set archive_command = 'true'",
        "create extension file_fdw",
        "load '/tmp/x.so'",
        "create function f() returns int language c as '/tmp/x.so', 'f'",
    ],
)
def test_the_application_role_does_not_reach_the_machine(
    any_server: LocalServer, statement: str
) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.UndefinedFile)) as refused:
        _query(any_server.parameters(), statement)
    # Before 16 a superuser's library is looked for before the right to load it.
    assert isinstance(refused.value, errors.InsufficientPrivilege) or statement.startswith("load")


def _make_old(server: LocalServer) -> None:
    """What a version of this project that trusted loopback left, running."""
    administrator = server.admin_parameters()
    _query(server.parameters(), "create table marca as select 1 as id")
    _query(administrator, "alter role retail createrole password null")
    _query(administrator, "alter role retail reset all")
    _query(administrator, "grant pg_execute_server_program to retail")
    server.passfile.unlink()
    server.stop()
    old = replace(
        server, access=OLD_HBA, settings=server.settings | {"unix_socket_directories": ""}
    )
    old._write_configuration()
    old._launch()
    trusted = {"host": "127.0.0.1", "port": str(server.port), "user": "retail"}
    assert _query(trusted | {"dbname": "retail"}, "select id from marca") == [(1,)]


@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_an_older_cluster_is_closed_at_its_next_start(
    own_server: LocalServer, running: bool
) -> None:
    own_server.start()
    _make_old(own_server)
    if not running:
        own_server.stop()
    own_server.start()
    test_tcp_takes_the_right_password_and_no_rule_trusts(own_server)
    test_its_owner_needs_no_password(own_server)
    assert _query(_by_socket(own_server), "select id from marca") == [(1,)]
    assert _query(
        own_server.admin_parameters(),
        "select rolcreaterole, pg_has_role(oid, 'pg_execute_server_program', 'member') "
        "from pg_roles where rolname = 'retail'",
    ) == [(False, False)]
    assert own_server.start() == own_server.status(), "and then left alone"


def test_plain_dbt_works_for_the_owner(any_server: LocalServer, tmp_path: Path) -> None:
    shutil.copy(PROJECT / "profiles.yml.example", tmp_path / "profiles.yml")
    result = subprocess.run(
        [Path(sys.executable).parent / "dbt", "debug", "--target", "local", "--connection"],
        cwd=PROJECT,
        env=os.environ
        | {"DBT_PROFILES_DIR": str(tmp_path), "DBT_LOG_PATH": str(tmp_path)}
        | {PORT_VARIABLE: str(any_server.port), "PGPASSFILE": "/dev/null"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Connection test: [\x1b[32mOK" in result.stdout or "Connection test: [OK" in (
        result.stdout
    ), result.stdout


def test_a_checkout_may_lie_deep(own_server: LocalServer) -> None:
    deep = replace(own_server, home=own_server.home.parent / ("x" * 120) / "pg")
    deep.home.parent.mkdir()
    deep.home.parent.chmod(0o755)
    deep.start()
    try:
        test_its_owner_needs_no_password(deep)
    finally:
        deep.stop()
    assert not deep.sockets.exists(), "nothing is left in /tmp"


@as_root
def test_a_folder_of_somebody_else_in_the_sockets_place_is_refused(
    own_server: LocalServer,
) -> None:
    own_server.sockets.mkdir()
    try:
        os.chown(own_server.sockets, pwd.getpwnam("daemon").pw_uid, -1)
        with pytest.raises(UserError, match=f"not a folder of the user .*{PORT_VARIABLE}="):
            own_server.start()
    finally:
        own_server.sockets.rmdir()
    own_server.start()


def test_no_setting_of_database_or_shell_changes_the_encoding(
    own_server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_server.start()
    for setting in ("client_encoding = 'LATIN1'", "row_security = on"):
        _query(own_server.admin_parameters(), f"alter database retail set {setting}")
    shown = "select current_setting('client_encoding'), current_setting('row_security')"
    with closing(psycopg2.connect(**_by_socket(own_server))) as session:  # as dbt does
        with session.cursor() as cursor:
            cursor.execute(shown)
            assert cursor.fetchone() == ("UTF8", "off")
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    assert _query(own_server.parameters(), shown) == [("UTF8", "off")]


def test_the_platforms_roles_are_made_by_the_superuser(own_server: LocalServer) -> None:
    own_server.start()
    environment = {HOME_VARIABLE: str(own_server.home), PORT_VARIABLE: str(own_server.port)}
    environment |= {"RETAIL_PG_BIN": str(own_server.binaries.folder)}
    for _ in range(2):
        run_script("bootstrap_roles.py", "--target", "local", env=environment)
    # The role that builds here goes on building: it is a member of each of them.
    _query(own_server.parameters(), "create table retail.x as select 1 as a")
    _query(own_server.parameters(), "insert into staging.cargas (tabla) select 'x' where false")
    assert _query(
        own_server.parameters(),
        "select rolcreaterole from pg_roles where rolname = current_user",
    ) == [(False,)]
