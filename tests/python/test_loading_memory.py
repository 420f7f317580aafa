"""Memory does not grow with the file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT, Database

from retail_platform.loading.benchmark import write_sales

GIGABYTE = 1_000_000_000
# In a process of its own: the peak of this one is that of all its tests.
LOAD = """
import json, sys
from pathlib import Path
from retail_platform.loading import load_folder
from retail_platform.loading.benchmark import peak_memory
report = load_folder(Path(sys.argv[1]), json.loads(sys.argv[2]))
assert not report.failed, report.failed
print(report.rows, peak_memory())
"""


def peak_of_load(database: Database, path: Path) -> tuple[int, int]:
    """Rows loaded, and peak memory of the process that loads them, in bytes."""
    result = subprocess.run(
        [sys.executable, "-c", LOAD, str(path), json.dumps(dict(database.parameters))],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    rows, peak = result.stdout.split()
    return int(rows), int(peak)


def test_memory_is_flat_so_five_gigabytes_fit_in_one(empty_database: Database, tmp_path):
    measured = []
    for rows in (1_000_000, 4_000_000):
        path = tmp_path / f"ventas_{rows}.csv"
        write_sales(path, rows)
        loaded, peak = peak_of_load(empty_database, path)
        assert loaded == rows
        measured.append((path.stat().st_size, peak))
        path.unlink()
    (small, small_peak), (large, large_peak) = measured
    growth = max(0, large_peak - small_peak) / (large - small)
    assert large_peak + growth * (5 * GIGABYTE - large) < GIGABYTE


@pytest.mark.full
def test_five_gigabytes_fit_in_one(empty_database: Database, tmp_path):
    path = tmp_path / "ventas.csv"
    write_sales(path, 84_000_000)
    assert path.stat().st_size > 5 * GIGABYTE
    rows, peak = peak_of_load(empty_database, path)
    assert rows == 84_000_000
    assert peak < GIGABYTE
