"""Fixtures of the life cycle tests; a test module names this one in ``pytest_plugins``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifecycle.world import World, create_world, keep_as_template
from retail_platform.postgres.server import LocalServer


@pytest.fixture(scope="session")
def built_template(tmp_path_factory: pytest.TempPathFactory) -> Callable[[LocalServer], World]:
    """For each server one world that dbt has built, made when first asked for."""
    made: dict[int, World] = {}

    def template(server: LocalServer) -> World:
        if server.port not in made:
            world = create_world(server, tmp_path_factory.mktemp("ciclo"))
            world.dbt("build")
            made[server.port] = keep_as_template(world, "ciclo_construido")
        return made[server.port]

    return template


@pytest.fixture
def world(
    any_server: LocalServer, built_template: Callable[[LocalServer], World], tmp_path: Path
) -> Iterator[World]:
    """A world of the test's own, built once by dbt, on each supported server."""
    template = built_template(any_server)
    yield create_world(any_server, tmp_path, template)


@pytest.fixture
def raw_world(any_server: LocalServer, tmp_path: Path) -> World:
    """A world with raw rows where dbt never ran, on each supported server."""
    return create_world(any_server, tmp_path)
