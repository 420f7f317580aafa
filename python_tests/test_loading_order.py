"""Which of two deliveries wins: what their names say, whatever order they arrive in."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest
from conftest import Database
from test_loading_stage import sales, write

from retail_platform.loading import Settings, load_folder
from retail_platform.loading.order import dated, order_of
from retail_platform.reporting.deliveries import gate_report

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIRST, SECOND, MARCH = date(2024, 1, 30), date(2024, 1, 31), date(2024, 3, 1)


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("productos_20260301.csv", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01 tiendas.parquet", datetime(2026, 3, 1, tzinfo=UTC)),
        ("ventas_20260301_20260331.csv", datetime(2026, 3, 31, tzinfo=UTC)),
        ("ventas_20260301T103059.csv.gz", datetime(2026, 3, 1, 10, 30, 59, tzinfo=UTC)),
        ("ventas_202603.parquet", None),
        ("ventas.csv", None),
        ("ventas_20260230.csv", None),
        ("ventas_20261301.csv", None),
        ("ventas_120260301.csv", None),
        ("ventas_2026-0301.csv", None),
    ],
)
def test_a_name_holds_a_full_date_or_none(name: str, moment: datetime | None):
    assert dated(name) == moment


def test_deliveries_follow_the_dates_then_the_names_then_their_arrival():
    ordered = [
        order_of("productos_20260301.csv", NOW, False),
        order_of("productos_20260301_2.csv", NOW, False),
        order_of("productos_20260301_10.csv", NOW, False),
        order_of("a_20260302.csv", NOW, False),
        order_of("productos.csv", NOW, False),
        # Sent again under its name: it corrects whatever is there.
        order_of("productos_20260301.csv", NOW.replace(minute=1), True),
        # A date that has not come yet is none.
        order_of("productos_29990101.csv", NOW.replace(minute=2), False),
    ]
    assert ordered == sorted(ordered)


@pytest.fixture
def load(empty_database: Database, tmp_path: Path) -> Callable[[str, pl.DataFrame], None]:
    """Load a frame as a file of a name."""

    def run(name: str, frame: pl.DataFrame) -> None:
        path = write(tmp_path, name, frame)
        report = load_folder(path, dict(empty_database.parameters), Settings())
        assert not report.failed, report.failed

    return run


def test_any_order_of_arrival_ends_in_the_same_rows(load, empty_database: Database):
    """Corrections of a day, of two days, and to another month: all that a key can be in."""
    deliveries = {
        "ventas_20240131.parquet": sales(SECOND, range(1, 6)),
        "ventas_20240131_2.parquet": sales(SECOND, range(2, 4), price="11.00"),
        "ventas_20240201.parquet": pl.concat(
            [sales(FIRST, range(3, 4), price="12.00"), sales(SECOND, range(7, 8), price="12.00")]
        ),
        "ventas_20240301.parquet": sales(MARCH, range(4, 5), price="13.00"),
    }
    expected = [
        *((1, SECOND, "10.50"), (2, SECOND, "11.00"), (3, FIRST, "12.00"), (4, MARCH, "13.00")),
        *((5, SECOND, "10.50"), (7, SECOND, "12.00")),
    ]
    for names in permutations(deliveries):
        empty_database.query(
            "do $$ begin if to_regclass('staging.cargas') is not null then "
            "truncate staging.cargas, staging.orden_cargas, staging.versiones_mes, "
            "staging.claves_mes, staging.filas_movidas, staging.raw_ventas; end if; end $$"
        )
        for name in names:
            load(name, deliveries[name])
        found = empty_database.query(
            "select distinct ticket_id, fecha_venta, precio_unitario::text "
            "from staging.raw_ventas order by 1, 2"
        )
        assert found == expected, names
        assert empty_database.query(
            "select mes, filas from staging.versiones_mes where filas <> 0 order by 1"
        ) == [(date(2024, 1, 1), 10), (date(2024, 3, 1), 2)], names
        assert gate_report(empty_database.parameters).accounted, names


def test_a_file_sent_again_under_its_name_corrects_what_came_after_it(load, empty_database):
    load("ventas_20240131.parquet", sales(SECOND, range(1, 3)))
    load("ventas_20240201.parquet", sales(SECOND, range(1, 3), price="11.00"))
    load("ventas_20240131.parquet", sales(SECOND, range(1, 2), price="12.00"))
    assert empty_database.query(
        "select distinct ticket_id, precio_unitario::text from staging.raw_ventas order by 1"
    ) == [(1, "12.00"), (2, "11.00")]
