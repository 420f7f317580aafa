"""A Citus cluster on this machine: a coordinator and workers, each a server of its own on loopback.

Layout of its folder (``.citus/`` in the project): ``coordinator``, ``worker1``, ..., each as
`retail_platform.postgres.server` describes. The nodes share their passwords, and reach each other
by TCP with them, over TLS with certificates that Citus makes for itself.

For development and tests: several nodes on one machine are slower than one server.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from retail_platform.errors import UserError
from retail_platform.postgres.binaries import Binaries, read_binaries
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import DATABASE, HOST, ROLE, LocalServer, open_server

BIN_VARIABLE = "RETAIL_CITUS_BIN"
PORT_VARIABLE = "RETAIL_CITUS_PORT"
DEFAULT_PORT = 54360
WORKERS = 2

SETTINGS = {
    "shared_preload_libraries": "citus",
    # Two-phase commit: a transaction that changed several nodes is prepared on each.
    "max_prepared_transactions": "200",
    "max_connections": "200",
    "max_locks_per_transaction": "512",
    # Moving a shard to another worker copies it by logical replication while readers read.
    "wal_level": "logical",
    # Few shards and connections: each month is a table on each of them, all nodes share the cores.
    "citus.shard_count": "8",
    "citus.max_adaptive_executor_pool_size": "2",
    "citus.max_cached_conns_per_worker": "2",
    # What a killed node left prepared is committed or rolled back this soon.
    "citus.recover_2pc_interval": "5s",
    "shared_buffers": "256MB",
}


def free_ports(number: int) -> int:
    """The first of some TCP ports in a row that nobody listens on.

    Args:
        number: Of ports.

    Raises:
        UserError: There are none.
    """
    for _ in range(100):
        with ExitStack() as stack:
            probe = stack.enter_context(socket.socket())
            probe.bind((HOST, 0))
            first = int(probe.getsockname()[1])
            try:
                for port in range(first + 1, first + number):
                    stack.enter_context(socket.socket()).bind((HOST, port))
            except (OSError, OverflowError):
                continue
            return first
    raise UserError(f"Found no {number} free ports in a row on {HOST}.")


def citus_binaries() -> Binaries:
    """The PostgreSQL with Citus that the environment names.

    Raises:
        UserError: None is named, or the folder has no server, or the server no Citus.
    """
    named = os.environ.get(BIN_VARIABLE)
    if not named:
        raise UserError(
            f"{BIN_VARIABLE} is not set. It names the bin folder of a PostgreSQL 15 or newer in "
            "which Citus is installed, for example /usr/lib/postgresql/17/bin beside the packages "
            "of Citus Data (docs/citus.md)."
        )
    binaries = read_binaries(Path(named))
    if binaries is None:
        raise UserError(
            f"{BIN_VARIABLE}={named} is no folder with a working postgres, initdb, pg_ctl."
        )
    roots = (binaries.folder.parent, *binaries.folder.parents)
    places = ("share/extension", "share/postgresql/extension", f"share/postgresql/{binaries.major}")
    if not any(list((root / place).rglob("citus.control")) for root in roots for place in places):
        raise UserError(
            f"The PostgreSQL {binaries.version} of {BIN_VARIABLE}={named} has no Citus."
        )
    return binaries


@dataclass(frozen=True)
class Cluster:
    """The servers of a cluster.

    Attributes:
        home: Their folder.
        coordinator: Where clients and dbt connect.
        workers: Where the rows are.
    """

    home: Path
    coordinator: LocalServer
    workers: tuple[LocalServer, ...]

    @property
    def nodes(self) -> tuple[LocalServer, ...]:
        """All of them, the coordinator first."""
        return (self.coordinator, *self.workers)

    def start(self, database: str = DATABASE) -> None:
        """Start what does not run, and make the database a cluster's. Can be run again.

        Args:
            database: Made on each node if it is missing.
        """
        for node in self.nodes:
            node.start()
        for worker in self.workers:
            _share_passwords(self.coordinator, worker)
        self.prepare(database)

    def prepare(self, database: str) -> None:
        """Make a database on every node, with the extension, and tell the coordinator its workers.

        Args:
            database: Its name.
        """
        for node in self.nodes:
            with _administrator(node, "postgres") as cursor:
                cursor.execute("select from pg_database where datname = %s", [database])
                if cursor.rowcount == 0:
                    cursor.execute(
                        sql.SQL("create database {} owner {}").format(
                            sql.Identifier(database), sql.Identifier(ROLE)
                        )
                    )
        for node in self.nodes:
            with _administrator(node, database) as cursor:
                cursor.execute("create extension if not exists citus")
                self._let_nodes_in(cursor)
        with _administrator(self.coordinator, database) as cursor:
            cursor.execute(
                "select citus_set_coordinator_host(%s, %s)", [HOST, self.coordinator.port]
            )
            for worker in self.workers:
                cursor.execute("select citus_add_node(%s, %s)", [HOST, worker.port])
            # A role that owns something distributed is one of the cluster's from then on. Its own
            # first table would make it one, but only a superuser may: so that makes one for it.
            cursor.execute("select from pg_dist_object where objid = to_regrole(%s)", [ROLE])
            if cursor.rowcount == 0:
                for statement in (
                    "create schema citus_roles",
                    "create table citus_roles.of_the_cluster ()",
                    f"alter table citus_roles.of_the_cluster owner to {ROLE}",
                    "select create_reference_table('citus_roles.of_the_cluster')",
                    "drop schema citus_roles cascade",
                ):
                    cursor.execute(statement)

    def _let_nodes_in(self, cursor: Cursor) -> None:
        """Tell a node with which passwords it reaches the others (0) and itself (-1)."""
        passwords = {
            role: self.coordinator.admin_parameters()["password"]
            if role == "postgres"
            else self.coordinator.parameters()["password"]
            for role in ("postgres", ROLE)
        }
        for role, password in passwords.items():
            for node in (0, -1):
                cursor.execute(
                    "insert into pg_dist_authinfo (nodeid, rolename, authinfo) values (%s, %s, %s) "
                    "on conflict (nodeid, rolename) do update set authinfo = excluded.authinfo",
                    [node, role, f"password={password}"],
                )

    def drop(self, database: str) -> None:
        """Drop a database on every node, ending its sessions.

        Args:
            database: Its name; nothing happens where it is missing.
        """
        for node in self.nodes:
            with _administrator(node, "postgres") as cursor:
                cursor.execute(
                    sql.SQL("drop database if exists {} with (force)").format(
                        sql.Identifier(database)
                    )
                )

    def stop(self, mode: str = "fast") -> bool:
        """Stop all nodes, the coordinator first.

        Args:
            mode: As of `LocalServer.stop`.

        Returns:
            Whether one was running.
        """
        return any([node.stop(mode) for node in self.nodes])

    def remove(self) -> None:
        """Delete the stopped nodes with everything in them."""
        for node in self.nodes:
            node.remove()
        shutil.rmtree(self.home, ignore_errors=True)


@contextmanager
def _administrator(node: LocalServer, database: str) -> Iterator[Cursor]:
    with closing(connect(node.admin_parameters(database))) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            yield cursor


def _share_passwords(coordinator: LocalServer, worker: LocalServer) -> None:
    """Give a worker's roles the coordinator's passwords: a role is one on the whole cluster."""
    administrator = coordinator.admin_parameters()["password"]
    ordinary = coordinator.parameters()["password"]
    if worker.admin_parameters()["password"] != administrator:
        with _administrator(worker, "postgres") as cursor:
            cursor.execute("alter role postgres password %s", [administrator])
        worker.write_secret("admin_password", administrator + "\n")
    if worker.parameters()["password"] != ordinary:
        with _administrator(worker, "postgres") as cursor:
            cursor.execute(
                sql.SQL("alter role {} password %s").format(sql.Identifier(ROLE)), [ordinary]
            )
        worker.write_secret("passfile", f"*:*:*:{ROLE}:{ordinary}\n")


def open_cluster(
    home: Path,
    port: int,
    binaries: Binaries,
    workers: int = WORKERS,
    settings: Mapping[str, str] | None = None,
) -> Cluster:
    """Describe a cluster.

    Args:
        home: Its folder, as of `open_server`.
        port: The coordinator's; the workers have those after it.
        binaries: A PostgreSQL with Citus.
        workers: How many.
        settings: Settings that replace those of the nodes.
    """
    names = ["coordinator", *(f"worker{number}" for number in range(1, workers + 1))]
    nodes = [
        open_server(home / name, port + number, binaries, SETTINGS | dict(settings or {}))
        for number, name in enumerate(names)
    ]
    return Cluster(home, nodes[0], tuple(nodes[1:]))
