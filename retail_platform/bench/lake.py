"""Measures the open copy: what an export costs, and the analyses in DuckDB against PostgreSQL."""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
from psycopg2.extensions import connection

from retail_platform.bench import machine
from retail_platform.bench.measure import Measurement, alternate, summarise
from retail_platform.export.exporting import Options, export
from retail_platform.export.lake import open_lake
from retail_platform.export.manifest import files_of
from retail_platform.export.stores import Store, open_store
from retail_platform.postgres.connection import connect
from retail_platform.reporting.answers import read_statements
from retail_platform.reporting.statements import Plan, explain, fetch
from retail_platform.targets import connection_parameters


def measure_copy(project: Path, target: str, repeats: int) -> Measurement:
    """Export a built database into a temporary folder and ask the copy.

    Args:
        project: The dbt project.
        target: Of profiles.yml.
        repeats: Runs that count.
    """
    parameters = connection_parameters(target)

    def write(store: Store) -> int:
        return sum(map(len, export(parameters, store, Options()).written.values()))

    with tempfile.TemporaryDirectory() as folder, closing(connect(parameters)) as session:
        [(lines,)] = fetch(session, "select count(*) from retail.fact_ventas")
        store = open_store(f"{folder}/copia")
        first = _timed(lambda: write(store))
        nothing = [_timed(lambda: write(store)) for _ in range(repeats)]
        days = [_timed(lambda: write(store)) for _ in range(repeats) if _forget_last_month(store)]
        files = files_of(export(parameters, store, Options()).manifest).values()
        with closing(open_lake(store)) as lake:
            analyses = {
                path.stem: _compare(session, lake, path, repeats)
                for path in sorted((project / "analyses" / "ad_hoc").glob("*.sql"))
            }
        return {
            "machine": machine.describe(session),
            "lines": lines,
            "bytes": sum(entry["bytes"] for entry in files),
            "files": len(files),
            "rows": sum(entry["rows"] for entry in files),
            # Of the whole process, with DuckDB and what it read; an upper bound of an export's.
            "memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "exports": {
                "first": _summed([first]),
                "nothing new": _summed(nothing),
                "the last month again, as after one more day": _summed(days),
            },
            "analyses": analyses,
            "times": {
                kind: statistics.geometric_mean(
                    [each["times"] for each in analyses.values() if each["reads"] == kind]
                )
                for kind in ("facts", "marts")
            },
        }


def _timed(run: Callable[[], int]) -> Measurement:
    """Seconds by the clock, seconds of processor in this process, files written."""
    wall, cpu = time.monotonic(), time.process_time()
    written = run()
    return {
        "wall_s": time.monotonic() - wall,
        "cpu_s": time.process_time() - cpu,
        "files": written,
    }


def _summed(runs: list[Measurement]) -> Measurement:
    told = {key: summarise([run[key] for run in runs]) for key in ("wall_s", "cpu_s")}
    return told | {"files": runs[0]["files"]}


def _forget_last_month(store: Store) -> bool:
    """Lose the last month of each partitioned relation, so that the next export writes it."""
    assert store.folder
    for relation in sorted((store.folder / "retail").iterdir()):
        if months := sorted(path for path in relation.glob("periodo=*") if path.is_dir()):
            for path in list(months[-1].glob("*.parquet")):
                path.unlink()
    return True


def _compare(
    session: connection, lake: duckdb.DuckDBPyConnection, path: Path, repeats: int
) -> Measurement:
    """One analysis on both engines, in turns; a test compares their answers."""
    [question] = read_statements(path)

    def run(engine: str) -> Plan:
        if engine == "postgresql":
            plan = explain(session, question.statement)
            return {"ms": plan["Planning Time"] + plan["Execution Time"]}
        began = time.perf_counter()
        lake.execute(question.statement).fetchall()
        return {"ms": 1000 * (time.perf_counter() - began)}

    engines = {name: name for name in ("postgresql", "duckdb")}
    runs = alternate(run, engines, repeats)
    ms = {name: summarise([each["ms"] for each in found]) for name, found in runs.items()}
    return {
        "ms": ms,
        "times": ms["postgresql"]["median"] / ms["duckdb"]["median"],
        # What the marts answer already takes PostgreSQL a few rows of an index.
        "reads": "facts" if "retail.fact_" in question.statement else "marts",
    }
