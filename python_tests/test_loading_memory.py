"""Memory does not grow with the file."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PROJECT, Database

from retail_platform.bench.gate import write_sales
from retail_platform.loading import csv_rows
from retail_platform.postgres.server import LocalServer

GIGABYTE = 1_000_000_000
# In a process of its own: the peak of this one is that of all its tests.
LOAD = """
import json, sys
from pathlib import Path
from retail_platform.loading import csv_rows, load_folder
from retail_platform.bench.gate import peak_memory
csv_rows.BLOCK_BYTES = int(sys.argv[3])
report = load_folder(Path(sys.argv[1]), json.loads(sys.argv[2]))
assert not report.failed, report.failed
print(peak_memory())
"""


def peak_of_load(database: Database, path: Path, block_bytes: int = csv_rows.BLOCK_BYTES) -> int:
    """Peak memory, in bytes, of a process that loads a file."""
    parameters = json.dumps(dict(database.parameters))
    result = subprocess.run(
        [sys.executable, "-c", LOAD, str(path), parameters, str(block_bytes)],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(result.stdout)


def test_memory_is_flat_so_five_gigabytes_fit_in_one(
    embedded_server: LocalServer, new_database: Callable[..., Database], tmp_path
):
    paths = [tmp_path / "ventas_small.csv", tmp_path / "ventas_large.csv"]
    peaks = []
    for path, rows in zip(paths, (500_000, 3_000_000), strict=True):
        write_sales(path, rows)
        # What grows with the file grows with small blocks too, and shows above their smaller noise.
        peaks.append(peak_of_load(new_database(embedded_server), path, 1 << 20))
    small, large = (path.stat().st_size for path in paths)
    growth = max(0, peaks[1] - peaks[0]) / (large - small)
    usual = peak_of_load(new_database(embedded_server), paths[0])
    assert usual + growth * 5 * GIGABYTE < GIGABYTE


@pytest.mark.full
def test_five_gigabytes_fit_in_one(empty_database: Database, tmp_path):
    path = tmp_path / "ventas.csv"
    write_sales(path, 84_000_000)
    assert path.stat().st_size > 5 * GIGABYTE
    assert peak_of_load(empty_database, path) < GIGABYTE
    assert empty_database.query("select filas_aceptadas from staging.cargas") == [(84_000_000,)]
