"""A server that is as strict as RDS for PostgreSQL, for tests.

TLS only with a certificate of its own authority, SCRAM passwords, a master user that is no
superuser, nobody with access to the server's files, and the parameter values that RDS computes for
a db.t3.micro. On the embedded server, whose build has no TLS, everything but TLS.

Where the caller may, the server runs under a memory limit of the kernel.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
from conftest import PROJECT, Database, free_port
from psycopg2 import sql

from retail_platform.postgres.binaries import Binaries
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import ROLE, LocalServer, open_server
from retail_platform.roles import LOGINS, create_roles

# What the master user of RDS is: NOSUPERUSER CREATEDB CREATEROLE.
MASTER = "retail_admin"
HOST = "localhost"  # the name in the certificate; 127.0.0.1 is not in it

# What a db.t3.micro (1 GiB) leaves to PostgreSQL. AWS subtracts the operating system and its own
# processes and does not publish how much: an eighth is assumed.
INSTANCE_MEMORY = 896 * 1024**2

# The first four: formulas of RDS's default parameter group. random_page_cost and jit: our own group
# in infra/terraform. The others: what RDS or PostgreSQL sets by default.
MICRO = {
    "shared_buffers": f"{INSTANCE_MEMORY // 32768 * 8}kB",
    "effective_cache_size": f"{INSTANCE_MEMORY // 16384 * 8}kB",
    "maintenance_work_mem": f"{max(INSTANCE_MEMORY * 1024 // 63963136, 65536)}kB",
    "max_connections": str(min(INSTANCE_MEMORY // 9531392, 5000)),
    "work_mem": "4MB",
    "max_wal_size": "2GB",
    "min_wal_size": "192MB",
    "checkpoint_timeout": "5min",
    "max_locks_per_transaction": "64",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers": "8",
    "max_parallel_workers_per_gather": "2",
    "max_parallel_maintenance_workers": "2",
    "password_encryption": "scram-sha-256",
    "log_statement": "ddl",
    "log_temp_files": "0",
}

_HBA = "{kind} all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class Authority:
    """A certificate authority of one test session, made with the openssl program.

    Attributes:
        folder: Holds its key and certificate.
    """

    folder: Path

    @property
    def certificate(self) -> Path:
        """What clients verify with, as ``global-bundle.pem`` of RDS."""
        return self.folder / "ca.pem"

    @classmethod
    def create(cls, folder: Path) -> Authority:
        """Make an authority in a new folder."""
        folder.mkdir()
        _openssl(
            folder,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
            "-keyout ca.key -out ca.pem -subj /CN=retail-test-authority",
        )
        return cls(folder)

    def issue(self, name: str, host: str = HOST, days: int = 2) -> tuple[Path, Path]:
        """Issue a server certificate; ``days`` below zero makes one that has expired.

        Returns:
            Certificate and key.
        """
        _openssl(
            self.folder,
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
            f"-keyout {name}.key -out {name}.csr -subj /CN={host} "
            f"-addext subjectAltName=DNS:{host}",
        )
        _openssl(
            self.folder,
            f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial "
            f"-days {days} -copy_extensions copy -out {name}.pem",
        )
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


def _openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)


@dataclass(frozen=True)
class Standin:
    """A running stand-in.

    Attributes:
        server: The server under it.
        authority: Of its certificate; None where the server has no TLS.
        passwords: By role: of the master user and of the platform's roles.
        folder: For the files of its databases.
    """

    server: LocalServer
    authority: Authority | None
    passwords: Mapping[str, str]
    folder: Path

    def parameters(self, role: str = MASTER, dbname: str = "postgres") -> dict[str, str]:
        """The libpq parameters of a role."""
        base = {"host": HOST, "port": str(self.server.port), "user": role, "dbname": dbname}
        tls = {"sslmode": "disable"}
        if self.authority:
            tls = {"sslmode": "verify-full", "sslrootcert": str(self.authority.certificate)}
        return base | tls | {"password": self.passwords[role]}

    @property
    def role_passwords(self) -> dict[str, str]:
        """The passwords of the platform's roles."""
        return {role.name: self.passwords[role.name] for role in LOGINS}

    def environment(self, role: str, dbname: str) -> dict[str, str]:
        """The environment variables with which the target ``rds`` is this server."""
        parameters = self.parameters(role, dbname)
        return {f"RETAIL_RDS_{name.upper()}": value for name, value in parameters.items()}

    def use_certificate(self, certificate: Path, key: Path) -> None:
        """Put another certificate in place, as RDS does when it is rotated, without a restart."""
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            path = self.server.data / name
            path.write_bytes(source.read_bytes())
            path.chmod(0o600)
            self.server.account.own(path)
        if self.server.status().pid:
            with closing(connect(self.server.admin_parameters())) as session:
                with session.cursor() as cursor:
                    cursor.execute("select pg_reload_conf()")

    def create_database(self, template: str | None = None, prepared: bool = True) -> RdsDatabase:
        """Create a database as the master user.

        Args:
            template: A database without sessions to copy.
            prepared: Whether the platform's roles get their privileges.
        """
        name = f"test_{secrets.token_hex(6)}"
        with closing(connect(self.parameters())) as session:
            session.autocommit = True
            with session.cursor() as cursor:
                cursor.execute(
                    sql.SQL("create database {} template {}").format(
                        sql.Identifier(name), sql.Identifier(template or "template1")
                    )
                )
        if prepared:
            create_roles(self.parameters(dbname=name), self.role_passwords)
        folder = self.folder / name
        folder.mkdir()
        (folder / "profiles.yml").write_bytes((PROJECT / "profiles.yml.example").read_bytes())
        return RdsDatabase(self.parameters(dbname=name), self.server, folder, standin=self)

    def crash(self) -> None:
        """End the server as a failover does: at once, without a checkpoint."""
        pid = self.server.status().pid
        assert pid is not None
        postmaster = psutil.Process(pid)
        os.kill(pid, signal.SIGQUIT)
        postmaster.wait(timeout=60)


@dataclass(frozen=True)
class RdsDatabase(Database):
    """A database of the stand-in; ``query`` works as the master user.

    Attributes:
        standin: Where it lives.
    """

    standin: Standin = field(kw_only=True)
    target = "rds"

    @property
    def name(self) -> str:
        """The database's name."""
        return self.parameters["dbname"]

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables with which dbt works here as ``retail_transformer``."""
        return self.environment_of("retail_transformer")

    def environment_of(self, role: str) -> dict[str, str]:
        """Environment variables with which the target ``rds`` is this database."""
        return self.standin.environment(role, self.name) | {
            "RETAIL_TARGET": "rds",
            "DBT_PROFILES_DIR": str(self.folder),
        }

    def query_as(self, role: str, statement: str, *arguments: object) -> list[tuple]:
        """Run one statement as a role."""
        session = connect(self.standin.parameters(role, self.name))
        with closing(session), session, session.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return cursor.fetchall() if cursor.description else []

    def end_sessions_of(self, role: str) -> None:
        """End all sessions of a role in this database, as a broken connection does."""
        self.query(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where usename = %s and datname = current_database()",
            role,
        )


def start_standin(
    folder: Path,
    binaries: Binaries,
    authority: Authority | None,
    settings: Mapping[str, str] | None = None,
) -> Standin:
    """Start a stand-in.

    Args:
        folder: An empty folder that the server's account can enter.
        binaries: The programs.
        authority: Issues its certificate; None for a server that was built without TLS.
        settings: Values that replace or add to those of `MICRO`.
    """
    passwords = {name: secrets.token_urlsafe(18) for name in (MASTER, *(r.name for r in LOGINS))}
    # Characters that a URL, a shell or a template would trip over.
    passwords["retail_transformer"] += "'%@:/ {{x}}"
    server = open_server(folder / "pg", free_port(), binaries)
    server.start()
    with closing(connect(server.admin_parameters())) as session:
        with session, session.cursor() as cursor:
            cursor.execute(
                sql.SQL("create role {} login createdb createrole password {}").format(
                    sql.Identifier(MASTER), sql.Literal(passwords[MASTER])
                )
            )
            # The embedded server's own role is nobody on RDS.
            cursor.execute(sql.SQL("alter role {} nologin nocreatedb").format(sql.Identifier(ROLE)))
    server.stop()
    kind = "hostssl" if authority else "host"
    server = replace(server, access=_HBA.format(kind=kind))
    standin = Standin(server, authority, passwords, folder)
    settings = MICRO | dict(settings or {})
    if authority:
        standin.use_certificate(*authority.issue("server"))
        settings |= {"ssl": "on", "ssl_min_protocol_version": "TLSv1.2"}
    lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
    (server.data / "rds.conf").write_text("".join(lines))
    server.account.own(server.data / "rds.conf")
    with (server.data / "postgresql.conf").open("a") as file:
        file.write("include 'rds.conf'\n")
    server.start()
    return standin


@dataclass(frozen=True)
class MemoryLimit:
    """A control group of the kernel that holds a server and all of its processes.

    Attributes:
        folder: The group's folder.
    """

    folder: Path

    @classmethod
    def create(cls, limit: int) -> MemoryLimit | None:
        """Make a group, in the first or the second version of control groups.

        Args:
            limit: Bytes, page cache included.

        Returns:
            None where this process may not.
        """
        root = Path("/sys/fs/cgroup")
        for parent, file in (
            (root / "memory", "memory.limit_in_bytes"),
            (root, "memory.max"),
        ):
            folder = parent / f"retail-{secrets.token_hex(4)}"
            try:
                folder.mkdir()
                (folder / file).write_text(str(limit))
            except OSError:
                continue
            return cls(folder)
        return None

    def add(self, server: LocalServer) -> None:
        """Move a running server in; the processes that it starts later follow."""
        pid = server.status().pid
        assert pid is not None
        postmaster = psutil.Process(pid)
        # The postmaster first: what it starts from now on is born inside.
        for process in (postmaster, *postmaster.children()):
            with suppress(ProcessLookupError):  # a short-lived worker has ended
                (self.folder / "cgroup.procs").write_text(str(process.pid))

    def killed(self) -> int:
        """Processes that the kernel ended because the limit was reached."""
        for name in ("memory.oom_control", "memory.events"):
            path = self.folder / name
            if path.is_file():
                counts = dict(line.split() for line in path.read_text().splitlines())
                return int(counts.get("oom_kill", 0))
        raise FileNotFoundError(self.folder)

    def remove(self) -> None:
        """Remove the group; its server must have been stopped."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.folder.rmdir()
            except OSError:  # the last processes are still leaving
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.2)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[bool]:
    """Mount a file system of a given size at a folder; yields False where that is not allowed.

    Args:
        folder: Where, made if needed.
        size: As mount takes it, for example ``300m``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)
