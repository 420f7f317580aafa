"""The harness: it times what it says, compares only equal answers, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from conftest import PROJECT, Database, new_server, run_script

from retail_platform.bench import histories
from retail_platform.bench.cold import can_drop_cache, restart_cold
from retail_platform.bench.histories import END, History, hold_back, measure_history
from retail_platform.bench.indexes import measure_indexes
from retail_platform.bench.measure import (
    alternate,
    relations_read,
    require_equal_answers,
    summarise,
)
from retail_platform.bench.plots import fit_exponent
from retail_platform.bench.queries import partition_parents, partitions_read, question_variants
from retail_platform.bench.scratch import covered, longest_first, statement_intervals
from retail_platform.errors import UserError
from retail_platform.postgres.binaries import find_binaries
from retail_platform.postgres.server import LocalServer
from retail_platform.reporting.statements import explain, fetch

CATALOG = """
    select relname::text, relfilenode from pg_class
    where relnamespace in ('retail'::regnamespace, 'staging'::regnamespace)
    order by relname
"""


def test_variants_take_turns_and_the_warm_up_does_not_count() -> None:
    order: list[str] = []

    def run(statement: str) -> dict:
        order.append(statement)
        return {"Planning Time": 0.0, "Execution Time": float(len(order))}

    plans = alternate(run, {"a": "a", "b": "b"}, repeats=3, warm_up=1)
    assert order == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert [plan["Execution Time"] for plan in plans["a"]] == [4, 5, 8]


def test_summary_is_median_and_quartiles() -> None:
    assert summarise([5, 1, 2, 4, 3]) == {"median": 3, "q1": 2, "q3": 4, "n": 5}
    assert summarise([7.0]) == {"median": 7, "q1": 7, "q3": 7, "n": 1}


def test_union_of_intervals_counts_no_moment_twice() -> None:
    assert covered([(0, 2), (1, 3), (5, 6), (5.2, 5.4)]) == pytest.approx(4)
    assert covered([]) == 0


def test_intervals_of_statements_are_read_from_the_log() -> None:
    lines = [
        "2026-01-01 00:00:10.500 UTC [7] retail@mine LOG:  duration: 2500.0 ms  statement: select",
        "\t1",
        "2026-01-01 00:00:11.000 UTC [8] retail@other LOG:  duration: 9.0 ms  statement: select 2",
        "2026-01-01 00:00:12.000 UTC [7] retail@mine LOG:  unexpected EOF on client connection",
    ]
    [(begin, end)] = statement_intervals(lines, "mine")
    assert end - begin == pytest.approx(2.5)
    assert datetime.fromtimestamp(end, UTC).isoformat() == "2026-01-01T00:00:10.500000+00:00"


def test_a_model_keeps_its_time_beside_its_unit_tests() -> None:
    results = [
        {"unique_id": "unit_test.retail.fact_ventas.fact_ventas__sums", "execution_time": 0.1},
        {"unique_id": "model.retail.fact_ventas", "execution_time": 9.0},
        {"unique_id": "test.retail.unique_fact_ventas.1a2b", "execution_time": 10.0},
    ]
    assert longest_first(results) == {
        ("test", "unique_fact_ventas"): 10.0,
        ("model", "fact_ventas"): 9.0,
        ("unit_test", "fact_ventas__sums"): 0.1,
    }


def test_the_exponent_of_a_power_law_is_recovered() -> None:
    assert fit_exponent([1e6, 4e6, 13e6], [3 * x**0.8 for x in (1e6, 4e6, 13e6)]) == pytest.approx(
        0.8
    )


def test_different_answers_stop_the_comparison(built_database: Database) -> None:
    with closing(built_database.connect()) as session:
        assert require_equal_answers(session, {"a": "select 1.0", "b": "select 1.00"}) == 1
        with pytest.raises(UserError, match="'b' and 'a' give different answers"):
            require_equal_answers(session, {"a": "select 1", "b": "select 2"})
        with pytest.raises(UserError, match="no rows"):
            require_equal_answers(session, {"a": "select 1 where false"})


def test_a_database_that_is_not_built_is_said_so(empty_database: Database) -> None:
    with (
        closing(empty_database.connect()) as session,
        pytest.raises(UserError, match="make build"),
    ):
        fetch(session, "select * from retail.fact_ventas")


def test_questions_on_the_fact_read_only_their_months(built_database: Database) -> None:
    variants = question_variants(PROJECT / "analyses")
    assert len(variants) == 4
    with closing(built_database.connect()) as session:
        parents = partition_parents(session)
        for question in variants.values():
            read, total = partitions_read(explain(session, question["fact"]), parents)[
                "fact_ventas"
            ]
            assert 1 <= read <= 3 < total
            assert not any(
                "fact" in name for name in relations_read(explain(session, question["view"]))
            )


def test_measuring_indexes_leaves_the_database_as_it_was(
    embedded_server: LocalServer,
    built_database: Database,
    new_database: Callable[..., Database],
) -> None:
    copy = new_database(embedded_server, built_database)
    before = copy.query(CATALOG)
    with closing(copy.connect()) as session:
        indexes = measure_indexes(session, PROJECT / "analyses", repeats=1)
    by_name = {index["name"]: index for index in indexes}
    assert copy.query(CATALOG) == before
    assert all(index["bytes"] > 0 for index in indexes)
    assert by_name["fact_ventas_pkey"]["purpose"] == "primary key"
    assert "ticket_completo" in by_name["fact_ventas_pkey"]["used_by"]
    assert "historia_producto_tienda" in by_name["fact_ventas_tienda_id_fecha_venta_idx"]["queries"]


@pytest.mark.full
def test_the_benchmark_runs_at_small_scale_and_writes_its_page(
    embedded_server: LocalServer,
    built_database: Database,
    new_database: Callable[..., Database],
    tmp_path: Path,
) -> None:
    copy = new_database(embedded_server, built_database)
    result = run_script(
        *["bench.py", "queries", "--target", "ci", "--repeats", "1", "--seconds", "1"],
        *["--clients", "2", "--no-cold", "--quiet", "--output", str(tmp_path)],
        env=copy.environment,
    )
    page = (tmp_path / "performance.md").read_text()
    results = json.loads((tmp_path / "performance.json").read_text())["queries"]
    assert result.stdout.strip() == str(tmp_path / "performance.md")
    assert "heap / view" in page and "BRIN" in page and "p99" in page
    assert {item["during"] for item in results["concurrency"]} == {"nothing else", "a daily build"}
    assert not any(item["failed"] for item in results["concurrency"])
    assert (tmp_path / "img" / "questions-dark.svg").read_text().startswith("<?xml")
    assert copy.query("select count(*) from pg_namespace where nspname = 'bench'") == [(0,)]


def test_the_page_can_be_written_again_from_its_results(tmp_path: Path) -> None:
    results = PROJECT / "docs" / "performance.json"
    (tmp_path / "performance.json").write_bytes(results.read_bytes())
    run_script("bench.py", "report", "--output", str(tmp_path))
    assert (tmp_path / "performance.md").read_text() == (
        PROJECT / "docs" / "performance.md"
    ).read_text()


def test_nonsense_on_the_command_line_is_refused() -> None:
    result = run_script("bench.py", "queries", "--repeats", "0", check=False)
    assert result.returncode == 2
    assert "a whole number of 1 or more" in result.stderr


def test_what_is_held_back_is_whole_and_missing_from_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "END", date(2025, 12, 31))
    data = tmp_path / "data"
    run_script(
        *["generate.py", "--scale", "0.01", "--years", "1", "--end-date", "2025-12-31"],
        *["--output", str(data), "--quiet"],
    )
    before = pl.read_parquet(data / "ventas" / "*.parquet")
    deliveries = hold_back(data, tmp_path / "later", years=1, count=2)
    rest = pl.read_parquet(data / "ventas" / "*.parquet")
    held = pl.concat(
        pl.read_parquet(path)
        for files in deliveries.days + deliveries.late
        for path in files
        if path.name.startswith("ventas")
    )
    assert len(deliveries.days) == len(deliveries.late) == 2
    assert len(held) > 0 and len(rest) + len(held) == len(before)
    assert rest["fecha_venta"].max() == date(2025, 12, 29)
    assert set(held["ticket_id"]).isdisjoint(rest["ticket_id"])


@pytest.mark.full
def test_a_history_is_measured_at_small_scale(embedded_server: LocalServer) -> None:
    measured = measure_history(embedded_server, History(0.002, 4), seed=7, repeats=1)
    assert measured["lines"] > 1000
    assert 0 < measured["days"]["database_s"]["median"] < measured["days"]["wall_s"]["median"]
    assert measured["late"]["wall_s"]["n"] == 1
    assert END.year == 2035


def test_the_server_is_restarted_cold(server_folder: Path) -> None:
    if not can_drop_cache():
        pytest.skip("this system cannot drop single files from its cache")
    server = new_server(server_folder, find_binaries())
    begun = server.start().pid
    try:
        restart_cold(server)
        status = server.status()
        assert status.accepting and status.pid != begun
    finally:
        server.stop()
