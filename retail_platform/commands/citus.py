"""Starts, stops and removes a Citus cluster for development: a coordinator and two workers."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from retail_platform.postgres.cluster import (
    DEFAULT_PORT,
    PORT_VARIABLE,
    WORKERS,
    Cluster,
    citus_binaries,
    open_cluster,
)
from retail_platform.postgres.server import DATABASE, HOST, ROLE, configured_port
from retail_platform.project import find_project

FOLDER = ".citus"


def environment_of(cluster: Cluster) -> dict[str, str]:
    """The variables with which the target ``ci`` of profiles.yml is a cluster.

    Args:
        cluster: A cluster that was started once.
    """
    return {
        "RETAIL_CI_HOST": HOST,
        "RETAIL_CI_PORT": str(cluster.coordinator.port),
        "RETAIL_CI_USER": ROLE,
        "RETAIL_CI_DBNAME": DATABASE,
        "PGPASSFILE": str(cluster.coordinator.passfile),
    }


def _project_cluster() -> Cluster:
    home = (find_project() or Path.cwd()) / FOLDER
    port = configured_port(PORT_VARIABLE, DEFAULT_PORT, WORKERS)
    return open_cluster(home.resolve(), port, citus_binaries())


def _up() -> int:
    cluster = _project_cluster()
    cluster.start()
    ports = ", ".join(str(worker.port) for worker in cluster.workers)
    print(f"# Citus is running: coordinator on port {cluster.coordinator.port}, workers on {ports}")
    print("# The target ci is this cluster, for example for `make build TARGET=ci`, with:")
    for name, value in environment_of(cluster).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _check() -> int:
    binaries = citus_binaries()
    print(f"PostgreSQL {binaries.version} with Citus in {binaries.folder}")
    return 0


def _down() -> int:
    print("stopped" if _project_cluster().stop() else "was not running")
    return 0


def _remove() -> int:
    cluster = _project_cluster()
    cluster.remove()
    print(f"removed {cluster.home}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and run one command."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start the nodes and print what makes target ci the cluster")
    commands.add_parser("check", help="say which PostgreSQL with Citus would be used, or why none")
    commands.add_parser("down", help="stop the nodes; their data stay")
    commands.add_parser("remove", help="delete the stopped nodes and all their data")
    options = parser.parse_args(argv)
    return {"up": _up, "check": _check, "down": _down, "remove": _remove}[options.command]()
