"""What is kept and told of a daily run: outcome, row of ``staging.corridas``, metrics, alarm.

The loader's role writes the row, as all of the ledger. It is made when the run begins; a run that
holds the lock and finds an older one without an end knows that it was killed.
"""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from time import monotonic

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.exposition import generate_latest
from psycopg2.extensions import connection as Connection

from retail_platform.loading.schema import RUNS

HOOK = "RETAIL_ON_FAILURE"
HOOK_SECONDS = 120.0
KEPT_LOGS = 30

_LOG = logging.getLogger(__name__)


class Outcome(IntEnum):
    """How a daily run ended; the exit code of the command."""

    DONE = 0
    LOCKED = 10
    NO_CONNECTION = 11
    LOAD_FAILED = 12
    BUILD_FAILED = 13
    TESTS_FAILED = 14
    STALE = 15
    UNACCOUNTED = 16
    CATALOGUE_REFUSED = 17
    TAMPERED = 18
    NO_SUCH_PATH = 19


EXPLANATIONS = {
    Outcome.DONE: "done: everything loaded, built, tested and accounted for",
    Outcome.LOCKED: "nothing done: another daily run is at work",
    Outcome.NO_CONNECTION: "nothing done: the target cannot be used",
    Outcome.LOAD_FAILED: "some files were not loaded; what was loaded is built",
    Outcome.BUILD_FAILED: "some models were not built; they show their last good state",
    Outcome.TESTS_FAILED: "built, but data tests failed: look before you trust the numbers",
    Outcome.STALE: "built, but no new data arrived for too long",
    Outcome.UNACCOUNTED: "built, but rows delivered are not rows published plus rows refused",
    Outcome.CATALOGUE_REFUSED: "built, but rows of a catalogue were refused: their last good "
    "versions are published",
    Outcome.TAMPERED: "built, but published rows were not what was delivered, or not compared",
    Outcome.NO_SUCH_PATH: "nothing done: a file or folder that was named does not exist",
}

# How the table of runs calls them: for whoever reads the data, as everything there.
RESULTS = {
    Outcome.DONE: "completa",
    Outcome.LOCKED: "ocupada",
    Outcome.NO_CONNECTION: "sin_conexion",
    Outcome.LOAD_FAILED: "carga_fallida",
    Outcome.BUILD_FAILED: "construccion_fallida",
    Outcome.TESTS_FAILED: "pruebas_fallidas",
    Outcome.STALE: "datos_atrasados",
    Outcome.UNACCOUNTED: "filas_sin_explicar",
    Outcome.CATALOGUE_REFUSED: "catalogo_rechazado",
    Outcome.TAMPERED: "publicado_alterado",
    Outcome.NO_SUCH_PATH: "ruta_inexistente",
}

# Step -> its column.
SECONDS = {
    "check": "segundos_comparacion",
    "load": "segundos_carga",
    "build": "segundos_construccion",
    "freshness": "segundos_frescura",
    "report": "segundos_informe",
}


@dataclass(frozen=True)
class Deliveries:
    """What was delivered during a run.

    Attributes:
        files: Files loaded.
        refused_files: Attempts to load a file that failed.
        rows: Rows in the files that were loaded.
        accepted: Those that reached a raw table.
        refused: Those that a file rule refused.
    """

    files: int
    refused_files: int
    rows: int
    accepted: int
    refused: int


@dataclass
class Run:
    """A run, filled while it goes on.

    Attributes:
        started: When it began.
        seconds: Time taken, by step; a step that did not run is not in it.
        outcome: How it ended.
        ended: When.
        number: ``corrida_id``; None if it could not be noted.
        deliveries: None if they could not be read.
        last_done: End of the newest run in which everything was in order, if one is known.
    """

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: dict[str, float] = field(default_factory=dict)
    outcome: Outcome = Outcome.DONE
    ended: datetime | None = None
    number: int | None = None
    deliveries: Deliveries | None = None
    last_done: datetime | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step."""
        began = monotonic()
        try:
            yield
        finally:
            self.seconds[name] = monotonic() - began

    def end(self, outcome: Outcome) -> None:
        """Set the outcome and the end."""
        self.outcome, self.ended = outcome, datetime.now(UTC)


def begin(session: Connection, run: Run) -> None:
    """Note that a run began, and that older ones without an end were killed.

    Args:
        session: Of the loader, while the daily run's lock is held.
        run: Gets its number.
    """
    with session, session.cursor() as cursor:
        cursor.execute(f"update {RUNS} set resultado = 'interrumpida' where resultado = 'en_curso'")
        cursor.execute(
            f"insert into {RUNS} (iniciada_en, resultado) values (%s, 'en_curso') "
            "returning corrida_id",
            [run.started],
        )
        ((run.number,),) = cursor.fetchall()


def finish(session: Connection, run: Run) -> None:
    """Note how a run ended, and read what was delivered meanwhile.

    Args:
        session: Of the loader.
        run: Has ended; gets `Run.deliveries` and `Run.last_done`.
    """
    columns = {SECONDS[step]: round(taken, 3) for step, taken in run.seconds.items()}
    assigned = "".join(f", {column} = %({column})s" for column in columns)
    with session, session.cursor() as cursor:
        cursor.execute(
            f"""
            with entregas as (
                select
                    count(*) filter (where estado = 'completa') as archivos,
                    count(*) filter (where estado = 'fallida') as archivos_fallidos,
                    coalesce(sum(filas_entregadas) filter (where estado = 'completa'), 0) as filas,
                    coalesce(sum(filas_aceptadas) filter (where estado = 'completa'), 0)
                        as aceptadas,
                    coalesce(sum(filas_rechazadas) filter (where estado = 'completa'), 0)
                        as rechazadas
                from staging.cargas
                where iniciada_en between %(started)s and %(ended)s
            )

            update {RUNS} set
                terminada_en = %(ended)s,
                resultado = %(result)s,
                codigo_salida = %(code)s,
                archivos_cargados = entregas.archivos,
                archivos_fallidos = entregas.archivos_fallidos,
                filas_entregadas = entregas.filas,
                filas_aceptadas = entregas.aceptadas,
                filas_rechazadas = entregas.rechazadas{assigned}
            from entregas
            where corrida_id = %(number)s
            returning archivos_cargados, {RUNS}.archivos_fallidos, filas_entregadas,
                filas_aceptadas, filas_rechazadas
            """,
            columns
            | {
                "started": run.started,
                "ended": run.ended,
                "result": RESULTS[run.outcome],
                "code": run.outcome.value,
                "number": run.number,
            },
        )
        for row in cursor.fetchall():
            run.deliveries = Deliveries(*row)
        cursor.execute(f"select max(terminada_en) from {RUNS} where codigo_salida = 0")
        ((run.last_done,),) = cursor.fetchall()


def write_metrics(run: Run, path: Path) -> None:
    """Write a run's metrics in the OpenMetrics text format, for a collector of text files.

    Gauges only, which Prometheus' older format has too. The file is replaced as a whole.

    Args:
        run: Has ended.
        path: Where to.

    Raises:
        OSError: It cannot be written.
    """
    registry = CollectorRegistry()

    def gauge(name: str, text: str, value: float | None) -> None:
        if value is not None:
            Gauge(f"retail_daily_{name}", text, registry=registry).set(value)

    def moment(when: datetime | None) -> float | None:
        return when.timestamp() if when else None

    gauge("exit_code", "Outcome of the last run, as docs/runbook.md explains.", run.outcome.value)
    gauge("start_timestamp_seconds", "When the last run began.", moment(run.started))
    gauge("end_timestamp_seconds", "When the last run ended.", moment(run.ended))
    gauge(
        "last_done_timestamp_seconds",
        "When the newest run ended in which everything was in order.",
        moment(run.last_done),
    )
    by_step = Gauge("retail_daily_step_seconds", "Time of each step.", ["step"], registry=registry)
    for step, taken in run.seconds.items():
        by_step.labels(step).set(taken)
    if run.deliveries:
        gauge("files_loaded", "Files loaded during the last run.", run.deliveries.files)
        gauge("files_failed", "Attempts to load a file that failed.", run.deliveries.refused_files)
        gauge("rows_delivered", "Rows in the files that were loaded.", run.deliveries.rows)
        gauge("rows_accepted", "Of these, rows that reached a raw table.", run.deliveries.accepted)
        gauge("rows_refused", "Of these, rows that a file rule refused.", run.deliveries.refused)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(generate_latest(registry))
    fresh.replace(path)


def new_log(folder: Path) -> Path:
    """Choose the file of a run's log, and remove the oldest ones.

    Args:
        folder: Made if it is missing.

    Raises:
        OSError: Nothing can be written there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("daily-*.log"))[: -KEPT_LOGS + 1]:
        old.unlink(missing_ok=True)
    path = folder / f"daily-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log"
    path.touch()
    return path


def tell_failure(outcome: Outcome | None, report: Path | None, log: Path | None) -> None:
    """Run the command in ``RETAIL_ON_FAILURE``, if there is one; its own failure is a warning.

    Args:
        outcome: None after an error of the program itself.
        report: The HTML page, if one was written in this run.
        log: What the run wrote.
    """
    command = os.environ.get(HOOK)
    if not command:
        return
    told = {
        "RETAIL_OUTCOME": outcome.name if outcome is not None else "PROGRAM_ERROR",
        "RETAIL_EXIT_CODE": str(outcome.value) if outcome is not None else "70",
        "RETAIL_MESSAGE": EXPLANATIONS[outcome]
        if outcome is not None
        else "an error of the program itself",
        "RETAIL_REPORT": str(report or ""),
        "RETAIL_LOG": str(log or ""),
    }
    try:
        ended = subprocess.run(
            command, shell=True, env=os.environ | told, timeout=HOOK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _LOG.warning("%s told nobody: %s", HOOK, error)
        return
    if ended.returncode:
        _LOG.warning("%s told nobody: it ended with exit code %d", HOOK, ended.returncode)
