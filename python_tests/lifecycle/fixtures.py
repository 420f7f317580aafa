"""Fixtures of the life cycle tests; a test module names this one in ``pytest_plugins``."""

from __future__ import annotations

from collections.abc import Callable
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


SERVERS = ["embedded_server", pytest.param("postgres15", marks=pytest.mark.full)]


@pytest.fixture(params=SERVERS, ids=["18", "15"])
def world(
    request: pytest.FixtureRequest,
    built_template: Callable[[LocalServer], World],
    tmp_path: Path,
) -> World:
    """A world of the test's own, built once by dbt: on version 18, in the full suite also on 15."""
    template = built_template(request.getfixturevalue(request.param))
    return create_world(template.database.server, tmp_path, template)
