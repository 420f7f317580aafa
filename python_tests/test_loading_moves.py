"""A key that a later delivery moves to another month, or another day, is not left in both."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from conftest import Database, run_script
from test_loading_stage import sales, write

from retail_platform.loading import LoadReport, Settings, load_folder
from retail_platform.reporting.deliveries import gate_report

JANUARY, FEBRUARY, MARCH = date(2024, 1, 20), date(2024, 2, 3), date(2024, 3, 5)
PLACES = "select ticket_id, fecha_venta, count(*) from staging.raw_ventas group by 1, 2 order by 1"


@pytest.fixture
def load(empty_database: Database, tmp_path: Path) -> Callable[..., LoadReport]:
    """Write the frames to files and load them one after the other."""
    made = iter(range(1_000))

    def run(*frames: pl.DataFrame) -> LoadReport:
        for frame in frames:
            path = write(tmp_path, f"ventas_{next(made):03}.parquet", frame)
            report = load_folder(path, dict(empty_database.parameters), Settings())
            assert not report.failed, report.failed
        return report

    return run


def accounted(database: Database) -> bool:
    """Whether the ledger and the versions agree with the rows."""
    assert database.query(
        "select mes, filas from staging.versiones_mes where filas > 0 order by 1"
    ) == database.query(
        "select date_trunc('month', fecha_venta)::date, count(*) from staging.raw_ventas "
        "group by 1 order by 1"
    )
    return gate_report(database.parameters).accounted


@pytest.mark.parametrize("back", [False, True])
def test_a_ticket_moved_to_another_month_leaves_the_old_one(load, empty_database, back):
    first, second = (FEBRUARY, JANUARY) if back else (JANUARY, FEBRUARY)
    load(sales(first, range(1, 6)), sales(second, range(100, 103)))
    before = empty_database.query("select mes, version from staging.versiones_mes order by mes")
    report = load(sales(second, range(4, 6)))
    assert (report.files[0].replaced, dict(report.files[0].moved)) == (
        4,
        {first.replace(day=1): 4},
    )
    assert [row for row in empty_database.query(PLACES) if row[0] in (4, 5)] == [
        (4, second, 2),
        (5, second, 2),
    ]
    after = empty_database.query("select mes, version from staging.versiones_mes order by mes")
    assert all(new > old for (_, old), (_, new) in zip(before, after, strict=True)), (
        "dbt builds both months again"
    )
    assert accounted(empty_database)


def test_a_ticket_moved_to_another_day_of_its_month(load, empty_database):
    load(sales(JANUARY, range(1, 6)), sales(date(2024, 1, 25), range(3, 4)))
    assert empty_database.query(PLACES) == [
        *[(ticket, JANUARY, 2) for ticket in (1, 2)],
        (3, date(2024, 1, 25), 2),
        *[(ticket, JANUARY, 2) for ticket in (4, 5)],
    ]
    assert accounted(empty_database)


def test_only_the_lines_that_are_delivered_move(load, empty_database):
    load(sales(JANUARY, range(1, 6), lines=3), sales(FEBRUARY, range(2, 3), lines=1))
    assert empty_database.query(
        "select fecha_venta, linea from staging.raw_ventas where ticket_id = 2 order by linea"
    ) == [
        (FEBRUARY, 1),
        (JANUARY, 2),
        (JANUARY, 3),
    ]


def test_months_with_scattered_numbers_are_compared_without_being_read_again(
    load, empty_database, tmp_path
):
    def scattered(day: date, start: int) -> pl.DataFrame:
        frame = sales(day, range(start, start + 200))
        return frame.with_columns(ticket_id=pl.col("ticket_id") * 7_919 % 100_003 + 1)

    months = [date(2024, month, 5) for month in range(1, 7)]
    load(*(scattered(day, number * 200) for number, day in enumerate(months)))
    ids = scattered(months[1], 200)["ticket_id"].head(2)
    moved = sales(months[5], range(1, 2)).with_columns(ticket_id=pl.lit(ids[0]))
    report = load(moved)
    assert dict(report.files[0].moved) == {date(2024, 2, 1): 2}
    kept = empty_database.query(
        "select mes from staging.claves_mes where claves is not null order by 1"
    )
    assert len(kept) >= 4
    empty_database.query("select pg_stat_force_next_flush()")
    reads = "select sum(seq_tup_read) from pg_stat_user_tables where relname ~ 'p20240[1-4]$'"
    before = empty_database.query(reads)
    load(scattered(date(2024, 7, 5), 5_000))
    assert empty_database.query(reads) == before
    assert accounted(empty_database)


def test_numbers_that_grow_with_the_days_cost_nothing(load, empty_database):
    load(
        *(sales(date(2024, month, 5), range(month * 100, month * 100 + 9)) for month in range(1, 5))
    )
    assert empty_database.query(
        "select count(*) from staging.claves_mes where claves is not null"
    ) == [(0,)]


def test_of_a_line_in_two_months_of_one_file_the_last_row_counts(load, empty_database):
    report = load(pl.concat([sales(FEBRUARY, range(1, 3)), sales(MARCH, range(2, 4))]))
    assert report.files[0].replaced == 2
    assert empty_database.query(PLACES) == [(1, FEBRUARY, 2), (2, MARCH, 2), (3, MARCH, 2)]
    assert empty_database.query("select filas_sustituidas from staging.cargas") == [(2,)]
    assert accounted(empty_database)


def test_returns_move_too(empty_database, tmp_path):
    def returns(day: date) -> pl.DataFrame:
        return sales(JANUARY, range(1, 3), lines=1).select(
            pl.col("ticket_id").alias("devolucion_id"),
            "ticket_id",
            "linea",
            "fecha_venta",
            pl.lit(day).alias("fecha_devolucion"),
            "tienda_id",
            "producto_id",
            "canal",
            "unidades",
            pl.lit(1).alias("importe"),
        )

    for name, day in (("a", JANUARY), ("b", MARCH)):
        path = write(tmp_path, f"devoluciones_{name}.parquet", returns(day))
        load_folder(path, dict(empty_database.parameters))
    assert empty_database.query(
        "select distinct fecha_devolucion from staging.raw_devoluciones"
    ) == [(MARCH,)]


def test_a_database_loaded_before_ranges_were_kept_is_looked_through_once(load, empty_database):
    load(sales(JANUARY, range(1, 6)), sales(FEBRUARY, range(10, 12)))
    empty_database.query("drop table staging.claves_mes, staging.filas_movidas")
    report = load(sales(MARCH, range(2, 3)))
    assert dict(report.files[0].moved) == {date(2024, 1, 1): 2}
    assert empty_database.query("select count(*) from staging.claves_mes") == [(3,)]


def test_moves_are_reported(load, empty_database):
    load(sales(JANUARY, range(1, 6)), sales(FEBRUARY, range(2, 3)))
    result = run_script("load.py", "--report", "--target", "ci", env=empty_database.environment)
    assert "Moved from other months" in result.stdout
    assert "2024-01" in result.stdout
