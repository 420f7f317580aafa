"""Loading Parquet files: what readers see, what is replaced, what a second or killed load does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import polars as pl
import psycopg2
import pytest
from conftest import Database, run_script

from retail_platform.loading import LoadError, LoadReport, Settings, State, load_folder
from retail_platform.loading.tables import RAW_TABLES, SALES
from retail_platform.reporting.deliveries import gate_report


def sales(day: date, tickets: range, price: str = "10.50", lines: int = 2) -> pl.DataFrame:
    """Sale lines of some tickets of one day, all alike but for their keys."""
    keys = [(ticket, line) for ticket in tickets for line in range(1, lines + 1)]
    return pl.DataFrame(
        keys, schema={"ticket_id": pl.Int64, "linea": pl.Int16}, orient="row"
    ).select(
        "ticket_id",
        "linea",
        pl.lit(day).alias("fecha_venta"),
        pl.time(10, 30, 15).alias("hora"),
        pl.lit(7).alias("tienda_id"),
        pl.lit(3).alias("producto_id"),
        pl.lit("tienda").alias("canal"),
        pl.lit("2.000").cast(pl.Decimal(10, 3)).alias("unidades"),
        pl.lit(price).cast(pl.Decimal(10, 2)).alias("precio_unitario"),
        pl.lit("0.00").cast(pl.Decimal(5, 2)).alias("descuento_pct"),
        pl.lit("6.10").cast(pl.Decimal(10, 2)).alias("costo_unitario"),
    )


def write(folder: Path, name: str, frame: pl.DataFrame) -> Path:
    """Write a Parquet file and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)
    return path


@pytest.fixture
def load(empty_database: Database) -> Callable[..., LoadReport]:
    """Load into an empty database."""

    def run(source: Path, **settings: object) -> LoadReport:
        return load_folder(source, dict(empty_database.parameters), Settings(**settings))

    return run


def test_rows_ledger_and_versions_agree(load, empty_database, tmp_path):
    write(tmp_path, "ventas/ventas_202401.parquet", sales(date(2024, 1, 31), range(1, 4)))
    write(tmp_path, "ventas/ventas_202402.parquet", sales(date(2024, 2, 1), range(4, 6)))
    report = load(tmp_path)
    assert [file.state for file in report.files] == [State.LOADED, State.LOADED]
    assert empty_database.query(
        "select tableoid::regclass::text, count(*), sum(unidades * precio_unitario)::text "
        "from staging.raw_ventas group by 1 order by 1"
    ) == [
        ("staging.raw_ventas_p202401", 6, "126.00000"),
        ("staging.raw_ventas_p202402", 4, "84.00000"),
    ]
    assert empty_database.query(
        "select archivo, filas_entregadas, filas_aceptadas, filas_rechazadas, fecha_min, fecha_max,"
        " estado, terminada_en >= iniciada_en from staging.cargas order by archivo"
    ) == [
        ("ventas_202401.parquet", 6, 6, 0, date(2024, 1, 31), date(2024, 1, 31), "completa", True),
        ("ventas_202402.parquet", 4, 4, 0, date(2024, 2, 1), date(2024, 2, 1), "completa", True),
    ]
    assert empty_database.query(
        "select v.mes, v.filas, c.archivo from staging.versiones_mes v "
        "join staging.cargas c on c.carga_id = v.version order by 1"
    ) == [
        (date(2024, 1, 1), 6, "ventas_202401.parquet"),
        (date(2024, 2, 1), 4, "ventas_202402.parquet"),
    ]


def test_row_numbers_are_those_of_the_file(load, empty_database, tmp_path):
    write(tmp_path, "ventas_a.parquet", sales(date(2024, 1, 31), range(1, 4)))
    load(tmp_path)
    assert empty_database.query(
        "select ticket_id, linea, fila from staging.raw_ventas order by fila"
    ) == [(1, 1, 1), (1, 2, 2), (2, 1, 3), (2, 2, 4), (3, 1, 5), (3, 2, 6)]


def test_the_same_bytes_again_change_nothing(load, empty_database, tmp_path):
    path = write(tmp_path, "ventas_a.parquet", sales(date(2024, 1, 31), range(1, 4)))
    load(path)
    before = empty_database.query("select * from staging.cargas, staging.versiones_mes")
    copy = tmp_path / "ventas_b.parquet"
    copy.write_bytes(path.read_bytes())
    assert [file.state for file in load(copy).files] == [State.ALREADY_LOADED]
    assert empty_database.query("select * from staging.cargas, staging.versiones_mes") == before


def test_a_correction_replaces_by_key(load, empty_database, tmp_path):
    load(write(tmp_path, "ventas_a.parquet", sales(date(2024, 1, 31), range(1, 6))))
    correction = sales(date(2024, 1, 31), range(4, 8), price="99.00")
    report = load(write(tmp_path, "ventas_b.parquet", correction))
    assert report.files[0].replaced == 4
    assert empty_database.query(
        "select precio_unitario::text, count(*) from staging.raw_ventas group by 1 order by 1"
    ) == [("10.50", 6), ("99.00", 8)]
    assert empty_database.query(
        "select archivo, filas_sustituidas from staging.cargas order by 1"
    ) == [("ventas_a.parquet", 4), ("ventas_b.parquet", 0)]
    assert empty_database.query("select filas from staging.versiones_mes") == [(14,)]


def test_a_load_without_common_dates_reads_no_earlier_rows(load, empty_database, tmp_path):
    load(write(tmp_path, "ventas_a.parquet", sales(date(2024, 1, 30), range(1, 6))))
    empty_database.query("select pg_stat_force_next_flush()")
    scans = "select seq_tup_read from pg_stat_user_tables where relname = 'raw_ventas_p202401'"
    before = empty_database.query(scans)
    load(write(tmp_path, "ventas_b.parquet", sales(date(2024, 1, 31), range(6, 9))))
    assert empty_database.query(scans) == before


def test_catalogues_keep_every_version_but_not_every_delivery(load, empty_database, tmp_path):
    promotions = pl.DataFrame(
        {
            "promocion_id": [1, 2],
            "producto_id": [1, 1],
            "formato": ["Express", None],
            "fecha_inicio": [date(2020, 1, 1)] * 2,
            "fecha_fin": [date(2020, 1, 9)] * 2,
            "descuento_pct": [10, 20],
        }
    )
    load(write(tmp_path, "promociones.parquet", promotions))
    later = promotions.head(1).with_columns(descuento_pct=pl.lit(15))
    load(write(tmp_path, "promociones.parquet", later))
    assert empty_database.query(
        "select promocion_id, descuento_pct::int, formato, carga_id = max(carga_id) over () "
        "from staging.raw_promociones order by 1, carga_id"
    ) == [(1, 10, "Express", False), (1, 15, "Express", True), (2, 20, None, False)]
    for day in range(1, 5):
        # The same contents in other bytes: of each version the first and the last delivery stay.
        load(write(tmp_path, "promociones.parquet", promotions.with_columns(nota=pl.lit(day))))
    assert empty_database.query(
        "select promocion_id, descuento_pct::int, count(*), max(carga_id) - min(carga_id) "
        "from staging.raw_promociones group by 1, 2 order by 1, 2"
    ) == [(1, 10, 2, 5), (1, 15, 1, 0), (2, 20, 2, 5)]
    assert empty_database.query("select sum(filas_sustituidas)::int from staging.cargas") == [(6,)]
    assert gate_report(empty_database.parameters).accounted


def test_refused_rows_go_to_quarantine_with_every_reason(load, empty_database, tmp_path):
    good = sales(date(2024, 1, 31), range(1, 11))
    bad = sales(date(1999, 1, 1), range(11, 12), price="-1.00", lines=1)
    report = load(write(tmp_path, "ventas_a.parquet", pl.concat([good, bad])), max_rejected=0.1)
    assert (report.files[0].tally.delivered, report.files[0].tally.rejected) == (21, 1)
    assert empty_database.query(
        "select tabla, archivo, fila, columna, motivo, texto_original "
        "from cuarentena.filas_archivo order by columna"
    ) == [
        (
            "raw_ventas",
            "ventas_a.parquet",
            21,
            "fecha_venta",
            "FECHA_FUERA_DE_VENTANA",
            "1999-01-01",
        ),
        ("raw_ventas", "ventas_a.parquet", 21, "precio_unitario", "VALOR_NEGATIVO", "-1.00"),
    ]
    assert empty_database.query("select count(*) from staging.raw_ventas") == [(20,)]
    assert empty_database.query("select to_regclass('staging.raw_ventas_p199901')") == [(None,)]


def test_too_many_refused_rows_leave_nothing_but_a_failed_ledger_row(
    load, empty_database, tmp_path
):
    good = sales(date(2024, 1, 31), range(1, 11))
    bad = sales(date(2024, 1, 31), range(11, 12), price="-1.00", lines=1)
    report = load(write(tmp_path, "ventas_a.parquet", pl.concat([good, bad])))
    assert report.failed[0].error.startswith("1 of 21 rows rejected (4.8%), allowed are 1.0%")
    assert empty_database.query(
        "select estado, filas_entregadas, filas_rechazadas, error like '1 of 21%%' "
        "from staging.cargas"
    ) == [("fallida", 21, 1, True)]
    for relation in ("staging.raw_ventas", "staging.versiones_mes", "cuarentena.filas_archivo"):
        assert empty_database.query(f"select count(*) from {relation}") == [(0,)]


def test_a_failed_file_does_not_stop_the_others(load, empty_database, tmp_path):
    (tmp_path / "ventas_a.parquet").write_bytes(b"PAR1 torn")
    write(tmp_path, "ventas_b.parquet", sales(date(2024, 1, 31), range(1, 4)))
    report = load(tmp_path)
    assert [file.state for file in report.files] == [State.FAILED, State.LOADED]
    assert "not a readable Parquet file" in report.failed[0].error


def test_a_missing_column_is_named(load, tmp_path):
    frame = sales(date(2024, 1, 31), range(1, 4)).drop("hora")
    report = load(write(tmp_path, "ventas_a.parquet", frame))
    assert "no column hora" in report.failed[0].error


def test_a_foreign_schema_is_refused(load, empty_database, tmp_path):
    write(tmp_path, "ventas_a.parquet", sales(date(2024, 1, 31), range(1, 4)))
    server = empty_database.server.admin_parameters(empty_database.parameters["dbname"])
    with closing(psycopg2.connect(**server)) as session, session, session.cursor() as cursor:
        cursor.execute("create schema cuarentena")
    with pytest.raises(LoadError, match="schema cuarentena .* belongs to"):
        load(tmp_path)
    assert empty_database.query("select to_regclass('staging.cargas')") == [(None,)]


def test_tables_are_those_of_the_contract(load, empty_database, tmp_path):
    write(tmp_path, "ventas_a.parquet", sales(date(2024, 1, 31), range(1, 4)))
    load(tmp_path)
    contract = (Path(__file__).parents[1] / "docs" / "interfaces.md").read_text(encoding="utf-8")
    for table in RAW_TABLES.values():
        declared = ", ".join(f"{column.name} {column.sql_type}" for column in table.columns)
        assert f"| `{table.name}` | `{declared}` |" in contract
        columns = empty_database.query(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0 order by attnum",
            f"staging.{table.name}",
        )
        assert [name for name, _ in columns] == [*table.column_names, "carga_id", "fila"]
        assert columns[-2:] == [("carga_id", "integer"), ("fila", "integer")]


def test_a_column_that_a_newer_version_has_is_added(load, empty_database, tmp_path):
    day = date(2024, 1, 31)
    load(write(tmp_path, "ventas_1.parquet", sales(day, range(1, 3))))
    empty_database.query("alter table staging.raw_productos drop column proveedor")
    load(write(tmp_path, "ventas_2.parquet", sales(day, range(3, 5))))
    assert empty_database.query("select proveedor from staging.raw_productos") == []


@pytest.mark.parametrize(
    ("stop", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)],
)
def test_a_stopped_load_leaves_nothing_and_can_be_repeated(
    load, empty_database, tmp_path, stop, code
):
    load(write(tmp_path, "ventas_a.parquet", sales(date(2024, 1, 1), range(1, 4))))
    before = (
        "select (select count(*) from staging.raw_ventas), (select count(*) from staging.cargas "
    )
    before += "where estado = 'completa'), (select sum(filas) from staging.versiones_mes)"
    # Several batches, so that the first is sent when the load is stopped and the last is not.
    big = write(tmp_path, "ventas_b.parquet", sales(date(2024, 1, 31), range(9, 900_009), lines=1))
    script = Path(__file__).parents[1] / "scripts" / "load.py"
    with closing(empty_database.connect()) as holder, holder.cursor() as cursor:
        # COPY waits for this lock, so the load is stopped at a known place.
        cursor.execute("lock table staging.raw_ventas_p202401 in share mode")
        process = subprocess.Popen(
            [sys.executable, str(script), str(big), "--target", "ci"],
            env=os.environ | empty_database.environment,
            stdout=subprocess.DEVNULL,
        )
        waiting = "select count(*) from pg_locks where not granted and relation is not null"
        deadline = time.monotonic() + 60
        while empty_database.query(waiting) == [(0,)] and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(stop)
        time.sleep(0.5)
    assert process.wait() == code
    assert empty_database.query(before) == [(6, 1, 6)]
    assert [file.state for file in load(big).files] == [State.LOADED]
    assert empty_database.query(before) == [(900_006, 2, 900_006)]


def test_the_command_line_says_what_happened(empty_database, tmp_path):
    write(tmp_path, "ventas_a.parquet", sales(date(2024, 1, 31), range(1, 4)))
    first, second = (
        run_script("load.py", "--target", "ci", str(tmp_path), env=empty_database.environment)
        for _ in range(2)
    )
    assert "raw_ventas  loaded" in first.stdout
    assert "raw_ventas  already loaded" in second.stdout
    nowhere = run_script("load.py", str(tmp_path / "no"), check=False)
    assert nowhere.returncode == 1
    assert "does not exist" in nowhere.stderr and "Traceback" not in nowhere.stderr


def test_fields_of_a_type_that_does_not_fit_are_refused(load, empty_database, tmp_path):
    frame = sales(date(2024, 1, 31), range(1, 101)).with_columns(
        tienda_id=pl.when(pl.col("ticket_id") == 5).then(2**40).otherwise(7)
    )
    load(write(tmp_path, "ventas_a.parquet", frame))
    assert empty_database.query(
        "select motivo, columna, count(*) from cuarentena.filas_archivo group by 1, 2"
    ) == [("FUERA_DE_RANGO", "tienda_id", 2)]


def test_every_column_of_sales_has_a_polars_type():
    assert [str(column.dtype) for column in SALES.columns[:4]] == ["Int64", "Int16", "Date", "Time"]
