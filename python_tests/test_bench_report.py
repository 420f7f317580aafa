"""The page about performance: what it says follows from the results it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retail_platform.bench.report import exponents, index_gains, read_results, write_report


def summary(value: float) -> dict[str, float]:
    return {"median": value, "q1": value, "q3": value, "n": 3}


def history(lines: int, years: int, seconds: float) -> dict[str, Any]:
    delivery = {
        "load_s": summary(1),
        "slowest": {"fact_ventas": 2.5},
        "wall_s": summary(seconds / 10),
        "database_s": summary(seconds / 40),
    }
    return {
        "lines": lines,
        "scale": 1,
        "years": years,
        "file_bytes": lines * 20,
        "generate_s": seconds / 4,
        "load_s": seconds / 2,
        "build": {"wall_s": seconds, "models": {"fact_ventas": seconds / 2, "dim_tienda": 0.1}},
        "again": {"wall_s": 5.0},
        "bytes": {"staging": lines * 100, "retail": lines * 150, "cuarentena": 0},
        "days": delivery,
        "late": delivery,
        "machine": {
            "measured_on": "2026-01-01",
            "postgresql": "18.6",
            "processor": "P",
            "cores": 2,
            "memory_gb": 24,
            "load_average_5_min": 0.1,
            "system": "Linux",
            "python": "3.11",
            "settings": {"work_mem": "64MB"},
        },
    }


@pytest.fixture
def results() -> dict[str, Any]:
    return {
        "histories": {
            "1": history(1_000_000, 5, 10.0),
            "13": history(13_000_000, 5, 130.0),
            "52": history(52_000_000, 20, 143.0),
        }
    }


def test_growth_is_fitted_over_histories_of_equal_length(results: dict[str, Any]) -> None:
    fitted = exponents(results)
    assert fitted["dbt build"] == pytest.approx(1.0)
    assert exponents({"histories": {"1": history(1_000_000, 5, 1.0)}}) == {}


def test_the_page_compares_the_two_longest_histories(
    results: dict[str, Any], tmp_path: Path
) -> None:
    page = write_report(tmp_path, results).read_text()
    assert "4.0 times the history costs 1.10 times the time for a day" in page
    assert "52 million" in page
    # 250 bytes a line.
    assert "| 13 GB | 250 GB | 2.5 TB |" in page
    assert "fact_ventas" in page and "dim_tienda" not in page
    assert "the four questions" not in page.lower()


def test_charts_exist_for_both_themes_and_do_not_change(
    results: dict[str, Any], tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        write_report(tmp_path / folder, results)
    names = {path.name for path in (tmp_path / "a" / "img").iterdir()}
    assert names == {
        f"{name}-{theme}.svg" for name in ("time", "size", "daily") for theme in ("light", "dark")
    }
    for name in names:
        first, second = (tmp_path / folder / "img" / name for folder in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()


def test_results_are_kept_beside_the_page(results: dict[str, Any], tmp_path: Path) -> None:
    assert read_results(tmp_path) == {"histories": {}}
    write_report(tmp_path, results)
    assert read_results(tmp_path) == results


def test_the_gain_of_an_index_is_the_geometric_mean() -> None:
    ms = {"a": {"none": 8.0, "b-tree": 1.0}, "b": {"none": 2.0, "b-tree": 1.0}}
    gains = index_gains({"queries": {"alternatives": {"ms": ms}}})
    assert gains == {"none": pytest.approx(1.0), "b-tree": pytest.approx(4.0)}
    assert index_gains({}) == {}
