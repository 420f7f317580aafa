"""Databases that a benchmark makes for itself on a server of others, and what runs in them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
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
from retail_platform.project import own_command, own_environment, require_project

# How many of the longest models and tests a build lists.
SLOWEST = 8
PROGRAMS = Path(sys.executable).parent
# What the server logs of a statement: when it ended, in which database, how long it took.
_STATEMENT = re.compile(r"(\S+ \S+) UTC \[\d+\] \S+@(\S+) LOG:  duration: ([\d.]+) ms  statement")


@dataclass(frozen=True)
class Workplace:
    """A database for dbt and the commands, reached by them as the target ``ci``.

    Attributes:
        project: The dbt project.
        parameters: libpq parameters.
        folder: Its profiles.yml, and dbt's target and logs.
        log: The server's log, if it names the duration of each statement of this database.
    """

    project: Path
    parameters: Mapping[str, str]
    folder: Path
    log: Path | None = None

    def connect(self) -> connection:
        """Open a session."""
        return connect(self.parameters)

    def run(self, *command: str) -> float:
        """Run a program of the project on this database.

        Args:
            command: ``dbt`` or a command of this package, and its arguments.

        Returns:
            Seconds.

        Raises:
            UserError: If it fails; with the end of what it said.
        """
        names = ("host", "port", "user", "password", "dbname")
        environment = {f"RETAIL_CI_{name.upper()}": self.parameters.get(name, "") for name in names}
        environment |= own_environment() | {
            "DBT_PROFILES_DIR": str(self.folder),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
        }
        program, *arguments = command
        found = [str(PROGRAMS / "dbt")] if program == "dbt" else own_command(program)
        begun = time.perf_counter()
        result = subprocess.run(
            [*found, *arguments],
            cwd=self.project,
            env=os.environ | environment,
            capture_output=True,
            encoding="utf-8",  # not the locale's
            errors="replace",
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
        wall = self.run(
            "dbt", "build", "--target", "ci", "--project-dir", str(self.project), *arguments
        )
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
def scratch_database(parameters: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """A new database, dropped at the end.

    Args:
        parameters: libpq parameters of a database on the server; the role may create databases.

    Yields:
        Its libpq parameters.
    """
    name = f"retail_bench_{uuid.uuid4().hex[:8]}"
    run_outside_transaction(parameters, sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        yield dict(parameters) | {"dbname": name}
    finally:
        # Not "with (force)": an ordinary role may not end an autovacuum worker, a plain drop does.
        run_outside_transaction(
            parameters, sql.SQL("drop database if exists {}").format(sql.Identifier(name))
        )


def run_outside_transaction(parameters: Mapping[str, str], statement: sql.Composable) -> None:
    """Run a statement that refuses to run in a transaction.

    Args:
        parameters: libpq parameters of the database.
        statement: For example ``vacuum``.
    """
    with closing(connect(parameters)) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(statement)


@contextmanager
def open_workplace(
    project: Path, parameters: Mapping[str, str], log: Path | None = None
) -> Iterator[Workplace]:
    """A place for dbt and the commands to work on a database.

    Args:
        project: The dbt project.
        parameters: libpq parameters of the database.
        log: The server's log, if it names the duration of each statement of this database.
    """
    with tempfile.TemporaryDirectory(prefix="retail-bench-") as name:
        shutil.copy(project / "profiles.yml.example", Path(name) / "profiles.yml")
        yield Workplace(project, parameters, Path(name), log)


@contextmanager
def scratch_workplace(server: LocalServer) -> Iterator[Workplace]:
    """A new database on an embedded server that logs every statement; dropped at the end.

    Args:
        server: It runs.
    """
    with scratch_database(server.parameters()) as parameters:
        # Of the superuser, as what is logged is nobody else's business.
        run_outside_transaction(
            server.admin_parameters(),
            sql.SQL("alter database {} set log_min_duration_statement = 0").format(
                sql.Identifier(parameters["dbname"])
            ),
        )
        with open_workplace(require_project(), parameters, server.log) as place:
            yield place
