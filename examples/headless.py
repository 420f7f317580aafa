"""Runs an example without its web pages, on a server and a small world of its own, and checks it.

Called by `make test-example EXAMPLE=dagster`, with the project's Python: two deliveries and a month
that is built again; what was built is read from the database, where an exchanged partition is
another relation than before.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from retail_platform.errors import UserError, report_user_errors
from retail_platform.postgres.connection import connect
from retail_platform.runs import RESULTS, Outcome
from retail_platform.targets import connection_parameters

EXAMPLES = Path(__file__).resolve().parent
PROJECT = EXAMPLES.parent
RETAIL = [sys.executable, "-m", "retail_platform"]

PARTITIONS = """
select right(c.relname, 6), c.oid
from pg_inherits
inner join pg_class c on c.oid = inhrelid
where inhparent = to_regclass('retail.fact_ventas')
"""
RUNS = "select resultado from retail.corridas order by corrida_id"


def dagster(home: Path, *again: str) -> list[str]:
    """The night, or with months those built again."""
    program = str(EXAMPLES / "dagster" / ".venv" / "bin" / "dagster")
    definitions = str(EXAMPLES / "dagster" / "definitions.py")
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    if not again:
        return [program, "job", "execute", "-f", definitions, "-j", "night"]
    months = ["--partition-range", f"{again[0]}...{again[-1]}"]
    selected = ["--select", "months_built_again"]
    return [program, "asset", "materialize", "-f", definitions, *selected, *months]


def airflow(home: Path, *again: str) -> list[str]:
    """The night, or with months the same and those built again."""
    programs = EXAMPLES / "airflow" / ".venv" / "bin"
    if not (home / "airflow.db").exists():
        subprocess.run([str(programs / "airflow"), "db", "migrate"], check=True)
    return [str(programs / "python"), str(EXAMPLES / "airflow" / "run_dag.py"), *again]


WAYS = {"dagster": dagster, "airflow": airflow}


class Trial:
    """An example on a server and files of its own.

    Attributes:
        name: Of the example.
        home: Everything that the trial makes.
    """

    def __init__(self, name: str) -> None:
        """Make the folder; what an earlier trial left is removed."""
        self.name, self.home = name, EXAMPLES / name / ".home"
        self.files, self.deliveries = self.home / "data", self.home / "deliveries"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        os.environ.update(
            RETAIL_LOCAL_PORT=port,
            RETAIL_PG_HOME=str(self.home / "postgres"),
            RETAIL_PROJECT_DIR=str(PROJECT),
            RETAIL_TARGET="local",
            RETAIL_DELIVERIES=str(self.deliveries),
            RETAIL_COPY=str(self.home / "copia"),
            RETAIL_FIRST_MONTH="2025-01-01",
            RETAIL_RETRIES="0",
            DBT_PROFILES_DIR=str(PROJECT),
            DBT_TARGET_PATH=str(self.home / "target"),
            DBT_LOG_PATH=str(self.home / "logs"),
            DAGSTER_HOME=str(self.home),
            DO_NOT_TRACK="1",
            AIRFLOW_HOME=str(self.home),
            AIRFLOW__CORE__DAGS_FOLDER=str(EXAMPLES / "airflow" / "dags"),
            AIRFLOW__CORE__LOAD_EXAMPLES="False",
        )

    def run(self, *command: str) -> None:
        """Run a command that must work.

        Raises:
            UserError: It failed.
        """
        print(f"+ {' '.join(command)}", flush=True)
        if subprocess.run(command, cwd=PROJECT).returncode:
            raise UserError(f"{self.name}: {' '.join(command)} failed, see above")

    def example(self, *months: str, works: bool = True) -> None:
        """Run the example, and compare whether it says that it worked.

        Raises:
            UserError: It says the other.
        """
        command = WAYS[self.name](self.home, *months)
        print(f"+ {' '.join(command)}", flush=True)
        code = subprocess.run(command, cwd=PROJECT).returncode
        if (code == 0) is not works:
            wanted = "work" if works else "not work"
            raise UserError(f"{self.name}: exit code {code}, but it should {wanted}")

    def query(self, statement: str) -> list[tuple]:
        """Rows of a statement."""
        with closing(connect(connection_parameters("local"))) as session:
            with session.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall()

    def built(self, before: Sequence[tuple]) -> set[str]:
        """Months of the sales fact that were built since."""
        return {month for month, _ in {*self.query(PARTITIONS)} - {*before}}

    def deliver(self, *months: str) -> None:
        """Lay the files of some months where deliveries arrive, with the catalogues."""
        for path in sorted(self.files.rglob("*.parquet")):
            month = path.stem.rpartition("_")[2]
            if not month.isdigit() or month in months:
                place = self.deliveries / path.relative_to(self.files)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, place)


def expect(what: str, found: object, expected: object) -> None:
    """Compare, and say so.

    Raises:
        UserError: They differ.
    """
    if found != expected:
        raise UserError(f"{what}: {found}, expected {expected}")
    print(f"ok: {what}: {found}", flush=True)


def check(trial: Trial) -> None:
    """Two nights, a month built again, and a night that finds another one at work.

    Raises:
        UserError: Something else happened than should.
    """
    world = ["--scale", "0.01", "--years", "1", "--end-date", "2025-12-31", "--quiet"]
    trial.run(*RETAIL, "generate", *world, "--output", str(trial.files))
    trial.deliver("202510", "202511")
    trial.run(str(Path(sys.executable).parent / "dbt"), "parse", "--quiet", "--target", "local")
    trial.example()
    expect("months of the first night", trial.built([]), {"202510", "202511"})

    before = trial.query(PARTITIONS)
    trial.deliver("202512")
    trial.example()
    expect("months of the second night", trial.built(before), {"202512"})

    before = trial.query(PARTITIONS)
    trial.example("2025-10-01", "2025-11-01")
    expect("months built again", trial.built(before), {"202510", "202511"})
    expect("ends of all runs", set(trial.query(RUNS)), {(RESULTS[Outcome.DONE],)})

    before, runs = trial.query(PARTITIONS), trial.query(RUNS)
    with closing(connect(connection_parameters("local"))) as other, other.cursor() as cursor:
        cursor.execute("lock table staging.corrida_diaria in exclusive mode")
        trial.example(works=False)
        other.rollback()
    expect("months built beside another run", trial.built(before), set())
    expect("runs", trial.query(RUNS), runs)
    copy = trial.home / "copia"
    if not any(copy.rglob("*.parquet")):
        raise UserError(f"files of the export under {copy}: none, expected at least one")


def main() -> int:
    """Parse the command line and try the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("example", choices=WAYS)
    trial = Trial(parser.parse_args().example)
    if trial.home.exists():
        raise UserError(f"{trial.home} exists, of a trial that was killed: stop it and remove it.")
    trial.home.mkdir()
    try:
        trial.run(*RETAIL, "db", "start")
        check(trial)
    finally:
        subprocess.run([*RETAIL, "db", "stop"], cwd=PROJECT)
        shutil.rmtree(trial.home)
    print(f"{trial.name}: everything as it should be")
    return 0


if __name__ == "__main__":
    sys.exit(report_user_errors(main))
