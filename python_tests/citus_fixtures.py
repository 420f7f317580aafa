"""Fixtures of the tests that need a Citus cluster; a test module names this one in its plugins."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from citus_cluster import create_database
from conftest import PROJECT, Database
from lifecycle.world import FIRST_MONTHS, RAW, ROLES, World, copy_project

from retail_platform.postgres.cluster import (
    WORKERS,
    Cluster,
    citus_binaries,
    free_ports,
    open_cluster,
)
from retail_platform.postgres.connection import connect

# Three servers on the machine of the tests, and none of them holds much.
SETTINGS = {"shared_buffers": "96MB", "maintenance_work_mem": "64MB", "max_wal_size": "1GB"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A running coordinator with two workers, for the tests of one module."""
    binaries = citus_binaries()
    folder = Path(tempfile.mkdtemp(prefix="retail-citus-"))
    folder.chmod(0o755)
    made = open_cluster(folder / "citus", free_ports(1 + WORKERS), binaries, settings=SETTINGS)
    try:
        made.start()
        yield made
    finally:
        made.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def citus_world(cluster: Cluster, tmp_path: Path) -> World:
    """The small project with three months of raw sales, spread over the workers; nothing built."""
    made = create_database(cluster, "ciclo")
    with closing(connect(cluster.coordinator.admin_parameters("ciclo"))) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(ROLES)
    database = Database(made.parameters, made.server, tmp_path)
    shutil.copy(PROJECT / "profiles.yml.example", tmp_path / "profiles.yml")
    world = World(database, copy_project(tmp_path))
    world.query(RAW)
    world.query("select create_distributed_table('origen.ventas', 'venta_id')")
    for month in FIRST_MONTHS:
        world.deliver(month)
    return world
