"""The embedded server: one data folder, one port on loopback, start, stop and status.

Layout of the server's folder (``.postgres/`` in the project)::

    data/             the cluster
    server.log        what the server and pg_ctl write
    admin_password    password of the superuser ``postgres``, generated, readable by the owner only
    passfile          the same for the ordinary role, in the form that libpq reads
    lock              held while the server is started or stopped

People and dbt connect as the ordinary role ``retail``, which may create databases but is no
superuser and makes no roles. Who started the server needs no password: the socket in
``/tmp/retail-<port>`` tells the server who is asking. Everybody else, and TCP, needs one
(docs/security.md).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import encrypt_password

from retail_platform.errors import UserError
from retail_platform.postgres.account import Account, server_account
from retail_platform.postgres.binaries import BIN_VARIABLE, Binaries, find_binaries
from retail_platform.postgres.connection import connect, url
from retail_platform.postgres.tuning import (
    Setting,
    configuration_text,
    settings_for,
    this_machine,
)

HOST = "127.0.0.1"
ROLE = "retail"
DATABASE = "retail"
DEFAULT_PORT = 54329
PORT_VARIABLE = "RETAIL_LOCAL_PORT"
HOME_VARIABLE = "RETAIL_PG_HOME"
# Replaying up to max_wal_size after a crash can take minutes on a slow disk.
START_TIMEOUT_SECONDS = 600
# After a kill -9 of the postmaster its children need a moment to notice and leave.
DYING_TIMEOUT_SECONDS = 30
LEAST_FREE_BYTES = 300 * 1024**2

# Not in the server's folder: a socket's path may not exceed 107 bytes, and a checkout may lie deep.
# profiles.yml names the same folder, so that a plain `dbt build` needs no password and no variable.
_SOCKETS = "/tmp/retail-{port}"

_HBA = f"""\
# Written by retail_platform.postgres at every start: changes here are lost.
local  all  {ROLE}  peer map=owner
local  all  all     scram-sha-256
host   all  all     {HOST}/32  scram-sha-256
"""
_REACH_THE_MACHINE = (
    "pg_execute_server_program",
    "pg_read_server_files",
    "pg_write_server_files",
)
# ALTER DATABASE must not change what dbt stores, nor a policy hide rows from it.
_ROLE_SETTINGS = {"client_encoding": "UTF8", "row_security": "off"}


@dataclass(frozen=True)
class Status:
    """What is known about the server.

    Attributes:
        pid: Process id of the running postmaster; None when it is stopped.
        port: The port it listens on; None when it is stopped.
        accepting: Whether connections are accepted (not while it recovers).
    """

    pid: int | None
    port: int | None
    accepting: bool


@dataclass(frozen=True)
class LocalServer:
    """A server that this project owns.

    Attributes:
        home: Its folder, made when needed.
        port: TCP port on loopback.
        binaries: The programs to run.
        account: Who runs it.
        settings: Values that replace those of `settings_for` or are set beside them.
        access: Text of ``pg_hba.conf`` in place of the own rules, for example in tests.
    """

    home: Path
    port: int
    binaries: Binaries
    account: Account
    settings: Mapping[str, str] = field(default_factory=dict)
    access: str = _HBA

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.home / "server.log"

    @property
    def passfile(self) -> Path:
        """The password file of the ordinary role, for connections by TCP."""
        return self.home / "passfile"

    @property
    def sockets(self) -> Path:
        """The folder of the server's socket, which only its owner enters."""
        return Path(_SOCKETS.format(port=self.port))

    def parameters(self, dbname: str = DATABASE) -> dict[str, str]:
        """The libpq parameters of the ordinary role, by TCP, once the server has been started."""
        return self._parameters(ROLE, self._password(), dbname)

    def admin_parameters(self, dbname: str = "postgres") -> dict[str, str]:
        """The libpq parameters of the superuser, for tests and administration."""
        password = (self.home / "admin_password").read_text().strip()
        return self._parameters("postgres", password, dbname)

    def _parameters(self, user: str, password: str, dbname: str) -> dict[str, str]:
        place = {"host": HOST, "port": str(self.port)}
        return place | {"user": user, "password": password, "dbname": dbname}

    def _password(self) -> str:
        return "".join(_lines(self.passfile)).rpartition(":")[2]

    def url(self) -> str:
        """The libpq URL by TCP. It names the password file, whose text ends in the password."""
        return url(self._parameters(ROLE, "", DATABASE) | {"passfile": str(self.passfile)})

    def status(self) -> Status:
        """Look at the pid file and at the process that it names."""
        if self.home.is_dir():
            self._check_owner()
        lines = _lines(self.data / "postmaster.pid")
        if len(lines) < 4 or not _is_postmaster(int(lines[0]), self.data):
            return Status(pid=None, port=None, accepting=False)
        accepting = len(lines) >= 8 and lines[7].strip() == "ready"
        return Status(pid=int(lines[0]), port=int(lines[3]), accepting=accepting)

    def start(self) -> Status:
        """Start the server unless it runs, and wait until it accepts connections.

        Returns:
            The status of the running server.

        Raises:
            UserError: If the port is taken, the disk is full, the data folder belongs to another
                major version or user, or the server does not come up.
        """
        with self._exclusively():
            deadline = time.monotonic() + DYING_TIMEOUT_SECONDS
            while True:
                self._bring_up()
                try:
                    self._ensure_role_and_database()
                    return self.status()
                except psycopg2.OperationalError as error:
                    # It died after it was looked at: a kill takes effect with a delay.
                    if time.monotonic() > deadline:
                        raise UserError(
                            f"The server in {self.home} runs but refuses connections; "
                            f"see {self.log}:\n{str(error).strip()}"
                        ) from None
                    time.sleep(0.2)

    def _bring_up(self) -> None:
        status = self.status()
        if status.pid is None:
            self._check_data_folder()
            _check_disk(self.home)
            _check_port(self.port)
            if not (self.data / "PG_VERSION").is_file():
                self._initialise()
            self._write_configuration()
            self._remove_stale_pid_file()
            self._make_socket_folder()
            self._launch()
        elif status.port != self.port:
            raise UserError(
                f"The server in {self.home} runs on port {status.port}, but "
                f"{PORT_VARIABLE} asks for {self.port}. Run `make db-stop` first, or set "
                f"{PORT_VARIABLE}={status.port}."
            )
        elif not status.accepting:
            self._wait_until_accepting()
        elif (
            str(self.sockets) not in _lines(self.data / "postmaster.pid")
            or not (self.sockets / f".s.PGSQL.{self.port}").is_socket()
        ):
            # Started by a version of this project that let everybody in, or a cleaner of /tmp
            # removed the socket. Only a new start makes one.
            self._stop("fast")
            self._bring_up()

    def stop(self, mode: str = "fast") -> bool:
        """Stop the server, ending its sessions; committed work stays.

        Args:
            mode: ``fast``, or ``immediate`` to leave what is not yet in the data files to the
                recovery of the next start.

        Returns:
            Whether it was running.
        """
        if not self.data.is_dir():
            return False
        with self._exclusively():
            if self.status().pid is None:
                return False
            self._check_owner()
            self._stop(mode)
            with contextlib.suppress(OSError):  # somebody else's, or not empty
                self.sockets.rmdir()
            return True

    def _stop(self, mode: str) -> None:
        timeout = str(START_TIMEOUT_SECONDS)
        self._run("pg_ctl", "stop", "-D", str(self.data), "-m", mode, "-w", "-t", timeout)

    def remove(self) -> None:
        """Delete the stopped server's folder with everything in it.

        Raises:
            UserError: If the server is running, or the folder holds something else.
        """
        if not self.home.is_dir():
            return
        if self.status().pid is not None:
            raise UserError(f"The server in {self.home} is running. Stop it first: make db-stop")
        self._check_owner()
        if any(self.home.iterdir()) and not (self.home / "lock").is_file():
            raise UserError(f"{self.home} is not a server's folder of this project: not removed.")
        shutil.rmtree(self.home)

    @contextlib.contextmanager
    def _exclusively(self) -> Iterator[None]:
        """Hold the server's lock: a second start or stop waits for the first."""
        self.make_home()
        try:
            lock = (self.home / "lock").open("w")
        except PermissionError:
            raise self._foreign_folder() from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def make_home(self) -> None:
        """Make the server's folder, owned by its account."""
        if self.home.is_dir():
            self._check_owner()
            return
        try:
            self.home.parent.mkdir(parents=True, exist_ok=True)
            # Owned before it has its name: another start may look at it at once.
            fresh = Path(tempfile.mkdtemp(prefix=f"{self.home.name}.", dir=self.home.parent))
            self.account.own(fresh)
            try:
                fresh.rename(self.home)
            except OSError:
                fresh.rmdir()  # the other start was first
                self._check_owner()
        except OSError as error:
            raise UserError(
                f"Cannot make the server's folder {self.home}: {error.strerror}. Make room or "
                f"rights there, or name another folder in {HOME_VARIABLE}."
            ) from None

    def _check_owner(self) -> None:
        if self.home.stat().st_uid != self.account.uid:
            raise self._foreign_folder()

    def _foreign_folder(self) -> UserError:
        return UserError(
            f"The server's folder {self.home} does not belong to the user {self.account.name}, "
            "who would run the server: somebody else (perhaps root) made it. Run the command as "
            f"that user, remove the folder, or name another one in {HOME_VARIABLE}."
        )

    def _check_data_folder(self) -> None:
        """Refuse a cluster that these binaries cannot open."""
        version = "".join(_lines(self.data / "PG_VERSION")).strip()
        if version and version != str(self.binaries.major):
            raise UserError(
                f"The data folder {self.data} belongs to PostgreSQL {version}, but the binaries in "
                f"{self.binaries.folder} are version {self.binaries.version}. To take its data "
                f"along: point {BIN_VARIABLE} at the bin folder of version {version}, `make "
                f"db-start backup clean-db`, unset {BIN_VARIABLE}, `make restore dbt-build` "
                "(docs/runbook.md). To make them anew: `make clean-db build`."
            )

    def _initialise(self) -> None:
        """Make the cluster beside its place and rename it: never a half-made one."""
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password = self.home / "admin_password"
        self.write_secret(password.name, secrets.token_urlsafe(24) + "\n")
        # Code point order, the same on every platform; before 17 the C library's C.UTF-8 gives it.
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if self.binaries.major >= 17
            else ["--locale=C.UTF-8"]
        )
        self._run(
            *[
                "initdb",
                "--pgdata",
                str(fresh),
                "--username",
                "postgres",
                "--pwfile",
                str(password),
            ],
            *["--encoding", "UTF8", "--auth", "scram-sha-256", "--data-checksums", *locale],
        )
        with (fresh / "postgresql.conf").open("a") as file:
            file.write("include 'retail.conf'\n")
        self._write_configuration(fresh)
        fresh.rename(self.data)

    def _write_configuration(self, folder: Path | None = None) -> None:
        settings = [
            replace(item, value=self.settings.get(item.name, item.value))
            for item in settings_for(this_machine(), str(self.sockets))
        ]
        known = {item.name for item in settings}
        settings += [
            Setting(name, value, "asked for by who started the server")
            for name, value in self.settings.items()
            if name not in known
        ]
        texts = {
            "retail.conf": configuration_text(settings, self.port),
            "pg_hba.conf": self.access,
            "pg_ident.conf": self._owners(),
        }
        for name, text in texts.items():
            path = (folder or self.data) / name
            path.write_text(text, encoding="utf-8")
            self.account.own(path)

    def _owners(self) -> str:
        """The users of the operating system who are the ordinary role: the owner, and root.

        ``nobody`` is no owner: other programs of the system run as nobody too.
        """
        names = {"root", self.account.name} - {"nobody"}
        return "".join(f'owner "{name}" {ROLE}\n' for name in sorted(names))

    def write_secret(self, name: str, text: str) -> None:
        """Write a file that only the server's account reads, whole or not at all.

        Args:
            name: Its name in the server's folder.
            text: What goes into it.
        """
        path = self.home / name
        fresh = path.with_name(f"{path.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(text)
        self.account.own(fresh)
        fresh.replace(path)

    def _make_socket_folder(self) -> None:
        """Make the folder of the socket, entered by nobody else.

        Raises:
            UserError: If somebody else has a folder, or anything, of that name.
        """
        folder = self.sockets
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (self.account.uid, os.geteuid()):
            raise UserError(
                f"{folder}, where the server's socket goes, exists and is not a folder of the user "
                f"{self.account.name}. Remove it, or choose another port: "
                f"{PORT_VARIABLE}={self.port + 1}."
            )
        folder.chmod(0o700)
        self.account.own(folder)
        for lock in folder.glob(".s.PGSQL.*.lock"):
            # After a crash of the machine the number in it may belong to any program, which
            # PostgreSQL would take for the owner of the socket.
            pid = "".join(_lines(lock)[:1]).strip()
            if not pid.isdecimal() or not _is_server(int(pid)):
                lock.unlink()

    def _remove_stale_pid_file(self) -> None:
        """Remove a pid file whose process is no postmaster of this folder.

        After a crash of the machine the number may belong to any program, and PostgreSQL would
        refuse to start. It still checks by itself whether shared memory of this folder is in use.
        """
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _launch(self) -> None:
        started = self.log.stat().st_size if self.log.is_file() else 0
        deadline = time.monotonic() + DYING_TIMEOUT_SECONDS
        arguments = ["start", "-D", str(self.data), "-l", str(self.log)]
        arguments += ["-w", "-t", str(START_TIMEOUT_SECONDS)]
        while (result := self._run("pg_ctl", *arguments, check=False)).returncode != 0:
            written = _text_from(self.log, started)
            if "pre-existing shared memory block" in written and time.monotonic() < deadline:
                started = self.log.stat().st_size
                time.sleep(0.5)
                continue
            raise UserError(_explain_failed_start(written or result.stderr, self))

    def _wait_until_accepting(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self.status().accepting:
            if time.monotonic() > deadline:
                raise UserError(
                    f"The server in {self.home} is running but does not accept connections after "
                    f"{START_TIMEOUT_SECONDS} s; see {self.log}."
                )
            time.sleep(0.2)

    def _ensure_role_and_database(self) -> None:
        """Create what an interrupted first start may have left out, repair what is older."""
        connection = connect(self.admin_parameters())
        connection.autocommit = True  # create database refuses to run in a transaction
        try:
            self._ensure_role(connection)
            with connection.cursor() as cursor:
                cursor.execute("select from pg_database where datname = %s", [DATABASE])
                if cursor.rowcount == 0:
                    cursor.execute(
                        sql.SQL("create database {} owner {}").format(
                            sql.Identifier(DATABASE), sql.Identifier(ROLE)
                        )
                    )
        finally:
            connection.close()

    def _ensure_role(self, connection: Connection) -> None:
        """Make the ordinary role, with a password and without what would lead to more.

        Before PostgreSQL 16 whoever may create roles may also become every role but a superuser,
        and through ``pg_execute_server_program`` the server's account.
        """
        role = sql.Identifier(ROLE)
        with connection.cursor() as cursor:
            cursor.execute("select from pg_roles where rolname = %s", [ROLE])
            known = cursor.rowcount > 0
            if not known:
                cursor.execute(sql.SQL("create role {} login createdb").format(role))
            cursor.execute(sql.SQL("alter role {} nocreaterole").format(role))
            for name, value in _ROLE_SETTINGS.items():
                setting = sql.SQL("alter role {} set {} = {}")
                cursor.execute(setting.format(role, sql.Identifier(name), sql.Literal(value)))
            cursor.execute(
                "select roleid::regrole::text, member::regrole::text from pg_auth_members "
                "where roleid::regrole::text = any(%s) and member not in "
                "(select oid from pg_roles where rolsuper)",
                [list(_REACH_THE_MACHINE)],
            )
            for predefined, member in cursor.fetchall():
                cursor.execute(f"revoke {predefined} from {member} cascade")
            if not known or not self._password():
                password = secrets.token_urlsafe(24)
                verifier = encrypt_password(password, ROLE, connection, "scram-sha-256")
                cursor.execute(
                    sql.SQL("alter role {} password {}").format(role, sql.Literal(verifier))
                )
                self.write_secret(self.passfile.name, f"*:*:*:{ROLE}:{password}\n")

    def _run(
        self, program: str, *arguments: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a server program as the server's account."""
        # Variables such as PGDATA or PGOPTIONS of the caller's shell must not reach the server.
        environment = {key: text for key, text in os.environ.items() if not key.startswith("PG")}
        result = subprocess.run(
            [self.binaries.program(program), *arguments],
            cwd=self.home,
            # HOME: where a server that connects to another one looks for certificates.
            env=environment | {"LC_ALL": "C", "HOME": str(self.home)},
            capture_output=True,
            encoding="utf-8",  # not the locale's
            errors="replace",
            check=False,
            **self.account.process_options,
        )
        if check and result.returncode != 0:
            message = (result.stderr or result.stdout).strip()
            raise UserError(f"{program} failed:\n{message}{_disk_advice(message)}")
        return result


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []


def _text_from(path: Path, offset: int) -> str:
    if not path.is_file():
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:
        file.seek(offset)
        return file.read()


def _is_server(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        # A killed server stays in the list of processes until its parent has noticed.
        return process.name().startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_postmaster(pid: int, data: Path) -> bool:
    """Whether the process is a PostgreSQL server in this data folder, not a reused number."""
    try:
        process = psutil.Process(pid)
        # By working folder, not by command line: it stays right when the project is moved.
        return process.name().startswith("postgres") and Path(process.cwd()) == data.resolve()
    except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
        return False


def _check_disk(folder: Path) -> None:
    free = psutil.disk_usage(str(folder)).free
    if free < LEAST_FREE_BYTES:
        raise UserError(
            f"Only {free // 1024**2} MB are free for {folder}; the server needs at least "
            f"{LEAST_FREE_BYTES // 1024**2} MB to start, and a full build about 10 GB. Make room, "
            f"or name a folder on another disk in {HOME_VARIABLE}."
        )


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        # As PostgreSQL does: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise UserError(_port_taken(port)) from None


def _port_taken(port: int) -> str:
    return (
        f"Port {port} on {HOST} is taken by another program (perhaps a server of another copy of "
        f"this project). Stop that program, or choose another port: {PORT_VARIABLE}={port + 1}."
    )


def _disk_advice(message: str) -> str:
    if "No space left on device" not in message:
        return ""
    return (
        "\nThe disk is full: make room, or name a folder on another disk in "
        f"{HOME_VARIABLE}. Nothing committed is lost."
    )


def _explain_failed_start(written: str, server: LocalServer) -> str:
    """Name the cause of a failed start, from what the server wrote."""
    if "Address already in use" in written:
        return _port_taken(server.port)
    tail = "\n".join(written.strip().splitlines()[-8:])
    return (
        f"PostgreSQL {server.binaries.version} did not start in {server.home}. The end of its log "
        f"({server.log}):\n{tail}{_disk_advice(written)}"
    )


def configured_port(
    variable: str = PORT_VARIABLE, default: int = DEFAULT_PORT, workers: int = 0
) -> int:
    """The port to use, from the environment.

    Args:
        variable: Its name there.
        default: The port without it.
        workers: How many servers take the ports after it.

    Raises:
        UserError: If the variable is no port number, or leaves no room for the workers'.
    """
    text = os.environ.get(variable) or str(default)
    last = 65535 - workers
    if not text.isdigit() or not 1024 <= int(text) <= last:
        after = f"; the {workers} workers take the ones after it" if workers else ""
        raise UserError(f"{variable}={text}: a port number from 1024 to {last} is needed{after}.")
    return int(text)


def open_server(
    home: Path, port: int, binaries: Binaries, settings: Mapping[str, str] | None = None
) -> LocalServer:
    """Describe a server whose folder and programs its account can reach.

    Args:
        home: The folder wanted. When the server's account cannot enter its parent (a checkout
            under /root, say), a folder of /var/lib named after it takes its place: /var/tmp is
            cleaned of old files, which would break the cluster.
        port: TCP port.
        binaries: The programs; copied into the folder when the account cannot run them.
        settings: Values that replace those of `settings_for` or are set beside them.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    account = server_account(home.parent)
    if not account.reaches(home.parent):
        key = hashlib.sha256(str(home).encode()).hexdigest()[:12]
        home = Path("/var/lib") / f"retail-postgres-{key}"
    server = LocalServer(home, port, binaries, account, settings or {})
    if not account.reaches(binaries.program("postgres")):
        server.make_home()
        copied = binaries.copied_to(server.home / f"postgresql-{binaries.version}")
        server = replace(server, binaries=copied)
    return server


def project_server(project: Path | None) -> LocalServer:
    """The server of a checkout, as the environment configures it.

    Args:
        project: The project's folder, if there is one.

    Raises:
        UserError: There is none, and the environment names no folder for the server.
    """
    named = os.environ.get(HOME_VARIABLE)
    if not named and project is None:
        raise UserError(
            "The embedded server lives in a checkout, and there is none here. Run this in one, "
            f"or name a folder for the server: {HOME_VARIABLE}=FOLDER."
        )
    home = Path(named) if named else (project or Path()) / ".postgres"
    return open_server(home.resolve(), configured_port(), find_binaries())
