"""Many readers at once: pgbench asks the four questions, alone and while a build runs."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from retail_platform.bench.measure import Measurement
from retail_platform.bench.scratch import Workplace
from retail_platform.errors import UserError
from retail_platform.postgres.binaries import find_binaries
from retail_platform.reporting.statements import render
from retail_platform.targets import libpq_environment

CLIENTS = (1, 4, 16, 64)
ALONE, DURING_BUILD = "nothing else", "a daily build"
# Readers without a pause take all cores and would starve the build: after this it goes on alone.
LIMIT_S = 60


def measure_concurrency(
    place: Workplace, analyses: Path, clients: Sequence[int], seconds: int, last_month: str
) -> list[Measurement]:
    """Throughput and latency of the questions on the views, by number of clients.

    Args:
        place: A built database.
        analyses: Folder of ``q1_*.sql`` ... ``q4_*.sql``.
        clients: Numbers of clients to try.
        seconds: Length of a run with nothing else; the others last as long as their build, at most
            `LIMIT_S`.
        last_month: First day of the last month with sales: what a daily build rebuilds.

    Returns:
        For each number of clients and for each of alone and during a build: questions per second,
        median and 99th percentile in ms, questions that failed.
    """
    rebuild = f"{{rebuild_range: ['{last_month}', '{last_month}']}}"
    results = []
    for count in clients:
        for during in (ALONE, DURING_BUILD):
            with tempfile.TemporaryDirectory(prefix="retail-bench-") as name:
                bench = _start(place.parameters, analyses, count, Path(name))
                try:
                    if during == DURING_BUILD:
                        place.build("--vars", rebuild)
                    else:
                        time.sleep(seconds)
                finally:
                    bench.terminate()
                results.append({"clients": count, "during": during} | _finish(bench, Path(name)))
    return results


def _start(
    parameters: Mapping[str, str], analyses: Path, clients: int, folder: Path
) -> subprocess.Popen[str]:
    files = [path for path in sorted(analyses.glob("q?_*.sql")) if not path.stem.endswith("_fact")]
    scripts = []
    for path in files:
        script = folder / path.name
        script.write_text(f"{render(path).strip().rstrip(';')};\n", encoding="utf-8")
        scripts += ["--file", str(script)]
    return subprocess.Popen(
        [
            *[str(find_binaries().program("pgbench")), "--no-vacuum", *scripts],
            *["--client", str(clients), "--jobs", str(min(clients, os.cpu_count() or 1))],
            # Stopped from outside, or after this.
            *["--time", str(LIMIT_S), "--log", "--log-prefix", str(folder / "log")],
        ],
        env=os.environ | libpq_environment(parameters),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )


def _finish(bench: subprocess.Popen[str], folder: Path) -> Measurement:
    said, _ = bench.communicate(timeout=60)
    # client, transaction, microseconds or "failed", script, second, microsecond within it.
    lines = [line.split() for path in folder.glob("log.*") for line in path.open()]
    # The last line may have been cut when pgbench was stopped.
    lines = [line for line in lines if len(line) == 6]
    times = sorted(int(line[2]) / 1000 for line in lines if line[2].isdigit())
    if len(times) < 2 or "ERROR" in said:
        raise UserError(f"pgbench did not get its answers:\n{said[-2000:]}")
    ends = [int(line[4]) + int(line[5]) / 1e6 for line in lines]
    return {
        "per_second": round(len(times) / (max(ends) - min(ends)), 1),
        "median_ms": round(statistics.median(times), 2),
        "p99_ms": round(times[int(0.99 * (len(times) - 1))], 2),
        "longest_ms": round(times[-1], 2),
        "failed": len(lines) - len(times),
    }
