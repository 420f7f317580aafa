"""Databases that the benchmark makes for itself on the target's server, and what runs in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection

from retail_platform.bench.measure import Measurement
from retail_platform.errors import UserError
from retail_platform.targets import PROJECT, connect

# How many of the longest models and tests a build lists.
SLOWEST = 8
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Workplace:
    """A database for dbt and the scripts, reached by them as the target ``ci``.

    Attributes:
        parameters: libpq parameters.
        folder: Its profiles.yml, and dbt's target and logs.
    """

    parameters: Mapping[str, str]
    folder: Path

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
            ``wall_s``; ``database_s``, the part of it in which at least one statement was running;
            ``statements_s``, the time of all statements added up (several run at a time);
            ``models``: name -> seconds; and ``slowest``: the longest models and tests.
        """
        log = self.folder / "logs" / "dbt.log"
        log.unlink(missing_ok=True)
        wall = self.run(
            *["dbt", "--log-format-file", "json", "--log-level-file", "debug"],
            # 0: never begun anew, as dbt does at 10 MB otherwise.
            *["--log-file-max-bytes", "0"],
            *["build", "--target", "ci", "--project-dir", str(PROJECT), *arguments],
        )
        results = json.loads((self.folder / "target" / "run_results.json").read_text())["results"]
        intervals = statement_intervals(log.read_text(encoding="utf-8").splitlines())
        seconds = longest_first(results)
        return {
            "wall_s": round(wall, 2),
            "database_s": round(covered(intervals), 2),
            "statements_s": round(sum(end - begin for begin, end in intervals), 2),
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


def statement_intervals(lines: list[str]) -> list[tuple[float, float]]:
    """When each statement of a dbt run began and ended, from its log.

    Args:
        lines: The log in JSON, at debug level.

    Returns:
        Begin and end in seconds since 1970.
    """
    intervals = []
    for line in lines:
        event = json.loads(line)
        if event["info"]["name"] == "SQLQueryStatus":
            end = datetime.fromisoformat(event["info"]["ts"]).timestamp()
            intervals.append((end - event["data"]["elapsed"], end))
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
def scratch_database(parameters: Mapping[str, str]) -> Iterator[Workplace]:
    """A new database on the server of a target, dropped at the end.

    Args:
        parameters: libpq parameters of the target; its role may create databases.
    """
    name = f"retail_bench_{uuid.uuid4().hex[:8]}"
    folder = Path(tempfile.mkdtemp(prefix="retail-bench-"))
    shutil.copy(PROJECT / "profiles.yml.example", folder / "profiles.yml")
    run_outside_transaction(parameters, sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        yield Workplace(dict(parameters) | {"dbname": name}, folder)
    finally:
        # Not "with (force)": an ordinary role may not end an autovacuum worker, a plain drop does.
        run_outside_transaction(
            parameters, sql.SQL("drop database if exists {}").format(sql.Identifier(name))
        )
        shutil.rmtree(folder, ignore_errors=True)


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
