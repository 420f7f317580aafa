"""Databases that the benchmark makes for itself on the target's server, and what runs in them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection

from retail_platform.bench.measure import Measurement
from retail_platform.errors import UserError
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import LocalServer
from retail_platform.postgres.temporary import run_outside_transaction, temporary_database
from retail_platform.targets import PROJECT

# How many of the longest models and tests a build lists.
SLOWEST = 8
PROGRAMS = Path(sys.executable).parent
# What the server logs of a statement: when it ended, in which database, how long it took.
_STATEMENT = re.compile(r"(\S+ \S+) UTC \[\d+\] \S+@(\S+) LOG:  duration: ([\d.]+) ms  statement")


@dataclass(frozen=True)
class Workplace:
    """A database for dbt and the scripts, reached by them as the target ``ci``.

    Attributes:
        parameters: libpq parameters.
        folder: Its profiles.yml, and dbt's target and logs.
        log: The server's log, if it names the duration of each statement of this database.
    """

    parameters: Mapping[str, str]
    folder: Path
    log: Path | None = None

    def connect(self) -> connection:
        """Open a session."""
        return connect(self.parameters)

    def run(self, *command: str) -> float:
        """Run a program of the project on this database.

        Args:
            command: A script of ``scripts`` or a program of the environment, and its arguments.

        Returns:
            Seconds.

        Raises:
            UserError: If it fails; with the end of what it said.
        """
        names = ("host", "port", "user", "password", "dbname")
        environment = {f"RETAIL_CI_{name.upper()}": self.parameters.get(name, "") for name in names}
        environment |= {
            "DBT_PROFILES_DIR": str(self.folder),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "PYTHONPATH": str(PROJECT),
        }
        program, *arguments = command
        found = (
            [sys.executable, str(PROJECT / "scripts" / program)]
            if program.endswith(".py")
            else [str(PROGRAMS / program)]
        )
        begun = time.perf_counter()
        result = subprocess.run(
            [*found, *arguments],
            cwd=PROJECT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            said = (result.stdout + result.stderr)[-3000:]
            raise UserError(
                f"{' '.join(command)} failed with exit code {result.returncode}:\n{said}"
            )
        return time.perf_counter() - begun

    def build(self, *arguments: str) -> Measurement:
        """Run ``dbt build`` and say where its time went.

        Args:
            arguments: Further arguments of dbt.

        Returns:
            ``wall_s``; ``database_s``, the part of it in which the server ran at least one
            statement, by the server's own clock (dbt's has its own waiting in it);
            ``models``: name -> seconds; and ``slowest``: the longest models and tests.
        """
        written = self.log.stat().st_size if self.log else 0
        wall = self.run("dbt", "build", "--target", "ci", "--project-dir", str(PROJECT), *arguments)
        results = json.loads((self.folder / "target" / "run_results.json").read_text())["results"]
        seconds = longest_first(results)
        database = {}
        if self.log:
            with self.log.open("rb") as file:
                file.seek(written)
                lines = file.read().decode(errors="replace").splitlines()
            intervals = statement_intervals(lines, self.parameters["dbname"])
            database["database_s"] = round(covered(intervals), 2)
        return database | {
            "wall_s": round(wall, 2),
            "models": {name: time for (kind, name), time in seconds.items() if kind == "model"},
            "slowest": {name: time for (_, name), time in list(seconds.items())[:SLOWEST]},
        }


def longest_first(results: list[dict[str, Any]]) -> dict[tuple[str, str], float]:
    """Seconds of each node of a dbt run.

    Args:
        results: Of dbt's run_results.json.

    Returns:
        Kind and name (``("model", "fact_ventas")``) -> seconds, the longest first.
    """
    seconds = {}
    for result in sorted(results, key=lambda result: -result["execution_time"]):
        kind, _, *names = result["unique_id"].split(".")
        # A unit test's id names its model first; a test's ends with a hash.
        name = names[-1] if kind == "unit_test" else names[0]
        seconds[kind, name] = round(result["execution_time"], 2)
    return seconds


def statement_intervals(lines: list[str], database: str) -> list[tuple[float, float]]:
    """When each statement in a database began and ended.

    Args:
        lines: The server's log.
        database: Its name.

    Returns:
        Begin and end in seconds since 1970.
    """
    intervals = []
    for line in lines:
        found = _STATEMENT.match(line)
        if found and found[2] == database:
            end = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
            intervals.append((end - float(found[3]) / 1000, end))
    return intervals


def covered(intervals: list[tuple[float, float]]) -> float:
    """Length of the union of intervals.

    Args:
        intervals: Begin and end of each.
    """
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(intervals):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


@contextmanager
def scratch_database(server: LocalServer) -> Iterator[Workplace]:
    """A new database on an embedded server that logs every statement; dropped at the end.

    Args:
        server: It runs.
    """
    with temporary_database(server.parameters(), "retail_bench") as parameters:
        # Of the superuser, as what is logged is nobody else's business.
        run_outside_transaction(
            server.admin_parameters(),
            sql.SQL("alter database {} set log_min_duration_statement = 0").format(
                sql.Identifier(parameters["dbname"])
            ),
        )
        with tempfile.TemporaryDirectory(prefix="retail-bench-") as name:
            shutil.copy(PROJECT / "profiles.yml.example", Path(name) / "profiles.yml")
            yield Workplace(parameters, Path(name), server.log)
