"""The benchmarks of a built database and of histories, put together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from retail_platform.bench.cold import can_drop_cache, restart_cold
from retail_platform.bench.concurrency import measure_concurrency
from retail_platform.bench.histories import History, measure_history
from retail_platform.bench.indexes import measure_alternatives, measure_indexes, statements_of
from retail_platform.bench.machine import describe
from retail_platform.bench.measure import Measurement
from retail_platform.bench.queries import measure_questions
from retail_platform.bench.scratch import open_workplace
from retail_platform.bench.storage import measure_refreshes, measure_sizes
from retail_platform.errors import UserError
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import LocalServer, project_server
from retail_platform.reporting.statements import fetch
from retail_platform.targets import connection_parameters

log = logging.getLogger("bench")


@dataclass(frozen=True)
class Choices:
    """What to measure of a built database.

    Attributes:
        target: A target of profiles.yml.
        repeats: Runs that count.
        clients: Numbers of clients of pgbench.
        seconds: Length of a run of pgbench.
        cold: Whether to measure the questions cold too.
    """

    target: str
    repeats: int
    clients: Sequence[int]
    seconds: int
    cold: bool


def measure_built(project: Path, choices: Choices) -> Measurement:
    """Measure questions, indexes, views, sizes and concurrency on a built database.

    Args:
        project: The dbt project.
        choices: What to measure.
    """
    analyses = project / "analyses"
    parameters = connection_parameters(choices.target)
    open_session = partial(connect, parameters)
    with closing(open_session()) as session:
        [[lines, last_month]] = fetch(
            session,
            "select count(*), date_trunc('month', max(fecha_venta))::date from retail.fact_ventas",
        )
        machine = describe(session)
        sizes = measure_sizes(session)
        log.info("refresh of each view")
        refreshes = measure_refreshes(session, choices.repeats)
        indexes = measure_indexes(session, analyses, choices.repeats)
        alternatives = measure_alternatives(session, analyses, choices.repeats)
    log.info("concurrency")
    with open_workplace(project, parameters) as place:
        concurrency = measure_concurrency(
            place, analyses, choices.clients, choices.seconds, str(last_month)
        )
    questions = measure_questions(
        *(open_session, analyses, choices.repeats),
        restart_cold=_restart(project, choices, parameters),
        plans_folder=project / "target" / "bench" / "plans",
    )
    return {
        "machine": machine,
        "lines": lines,
        "statements": len(statements_of(analyses)),
        "questions": questions,
        "indexes": indexes,
        "alternatives": alternatives,
        "refreshes": refreshes,
        "sizes": sizes,
        "concurrency": concurrency,
    }


def _restart(
    project: Path, choices: Choices, parameters: dict[str, str]
) -> Callable[[], None] | None:
    """How to restart the target's server cold; none where that cannot be done."""
    if choices.target != "local" or not choices.cold or not can_drop_cache():
        log.warning("cold runs are left out: they need the embedded server, on Linux")
        return None
    return partial(restart_cold, _embedded_server(project, parameters))


def _embedded_server(project: Path, parameters: dict[str, str]) -> LocalServer:
    """The server of this checkout, which must be the one that target ``local`` is on."""
    server = project_server(project)
    if str(server.port) != parameters["port"]:
        raise UserError(
            f"Target 'local' is on port {parameters['port']}, but the embedded server of this "
            f"checkout on {server.port}. Set RETAIL_LOCAL_PORT={parameters['port']}."
        )
    return server


def measure_growth(project: Path, history: History, seed: int, repeats: int) -> Measurement:
    """Measure a history on the embedded server, and the machine it was measured on.

    Args:
        project: The dbt project.
        history: The volume.
        seed: Of the simulation.
        repeats: Days, and late files, delivered afterwards.
    """
    parameters = connection_parameters("local")
    with closing(connect(parameters)) as session:
        machine = describe(session)
    server = _embedded_server(project, parameters)
    measured = measure_history(server, history, seed, repeats)
    for kind in ("days", "late"):
        wall, database = measured[kind]["wall_s"], measured[kind]["database_s"]
        log.info(
            *("%s: dbt build %.1f s, of it in the database %.1f s", kind),
            *(wall["median"], database["median"]),
        )
    return measured | {"machine": machine}
