"""The load report: every row accounted for, and what is said when one is not."""

from datetime import date

import pytest
from conftest import Database, run_script
from test_loading_bad_input import GOOD, OTHER, lines, row
from test_loading_stage import sales, write

from retail_platform.loading import LoadError, Settings, load_folder
from retail_platform.reporting.deliveries import gate_report
from retail_platform.reporting.rendering import GateReport, Section, to_html

# What the report reads of dbt's models, in small; the real ones are tested with the models.
MODELS = """
create schema retail;
create table retail.fact_ventas as
    select *, round(unidades * precio_unitario * (1 - descuento_pct / 100), 2) as total_linea
    from staging.raw_ventas where producto_id = 3;
create table cuarentena.ventas as
    select *, array['PRODUCTO_HUERFANO', 'TIENDA_HUERFANA'] as motivos
    from staging.raw_ventas where producto_id <> 3;
create table retail.dim_tienda as
    select id as tienda_id, 'T-' || id as codigo_tienda, 'Tienda ' || id as nombre_tienda,
           'HyperMarket' as cadena, true as activo, date '2020-01-01' as fecha_apertura,
           case when id = 9 then date '2023-01-01' end as fecha_cierre
    from unnest(array[7, 8, 9]) as id;
create table retail.mv_daily_store_sales as
    select fecha_venta as fecha, tienda_id, count(distinct ticket_id) as numero_tickets
    from staging.raw_ventas group by 1, 2
    union all select date '2024-02-09', 9, 0;
create table retail.mv_daily_sales_summary as
    select fecha_venta as fecha, 'HyperMarket' as cadena, sum(total_linea) as total_ventas,
           count(distinct ticket_id) as numero_tickets
    from retail.fact_ventas group by 1;
create table retail.corte as select date '2024-02-09' as fecha_corte;
"""


@pytest.fixture
def loaded(empty_database: Database, tmp_path) -> Database:
    """Two days of January and two of February: one file corrected, with rows refused by both."""
    parameters = dict(empty_database.parameters)
    orphan = row(ticket_id="50", producto_id="99", fecha_venta="2024-01-30")
    silent = row(ticket_id="51", tienda_id="8", fecha_venta="2024-01-30")
    (tmp_path / "ventas_1.csv").write_bytes(
        lines(GOOD, OTHER, orphan, silent, row(unidades="0", hora="x"), "TOTAL")
    )
    load_folder(tmp_path / "ventas_1.csv", parameters, Settings(max_rejected=0.5))
    (tmp_path / "ventas_2.csv").write_bytes(lines(GOOD.replace("10.50", "11.50")))
    load_folder(tmp_path / "ventas_2.csv", parameters)
    load_folder(
        write(tmp_path, "ventas_3.parquet", sales(date(2024, 2, 2), range(90, 93))), parameters
    )
    load_folder(
        write(tmp_path, "ventas_4.parquet", sales(date(2024, 2, 9), range(93, 95))), parameters
    )
    (tmp_path / "ventas_5.csv").write_bytes(b"")
    load_folder(tmp_path / "ventas_5.csv", parameters)
    return empty_database


def section(report: GateReport, title: str) -> Section:
    """The section of a title."""
    (found,) = (section for section in report.sections if section.title == title)
    return found


def column(found: Section, *names: str) -> list[tuple]:
    """Some columns of a section's rows."""
    places = [found.columns.index(name) for name in names]
    return [tuple(row[place] for place in places) for row in found.rows]


def test_every_row_of_every_load_is_in_one_place(loaded: Database):
    loaded.query(MODELS)
    report = gate_report(loaded.parameters)
    assert report.accounted
    by_load = section(report, "Every row accounted for, by load")
    assert column(
        by_load,
        "file",
        "delivered",
        "refused",
        "superseded",
        "quarantined",
        "accepted",
        "difference",
    ) == [
        ("ventas_4.parquet", 4, 0, 0, 0, 4, 0),
        ("ventas_3.parquet", 6, 0, 0, 0, 6, 0),
        ("ventas_2.csv", 1, 0, 0, 0, 1, 0),
        ("ventas_1.csv", 6, 2, 1, 1, 2, 0),
    ]
    by_month = section(report, "Sales accounted for, by month")
    assert column(by_month, "month", "delivered", "fact", "quarantined", "rows missing") == [
        (date(2024, 2, 1), 10, 10, 0, 0),
        (date(2024, 1, 1), 4, 3, 1, 0),
    ]


def test_reasons_have_counts_and_examples(loaded: Database):
    loaded.query(MODELS)
    report = gate_report(loaded.parameters)
    assert column(section(report, "Refused by file rules"), "reason", "refusals", "example") == [
        ("FUERA_DE_RANGO", 1, "ventas_1.csv row 5, unidades: 0"),
        ("NO_PARSEA_HORA", 1, "ventas_1.csv row 5, hora: x"),
        ("NUMERO_DE_COLUMNAS", 1, "ventas_1.csv row 6: TOTAL"),
    ]
    assert sorted(column(section(report, "Quarantined by dbt"), "reason", "rows", "example")) == [
        ("PRODUCTO_HUERFANO", 1, "ventas_1.csv row 3"),
        ("TIENDA_HUERFANA", 1, "ventas_1.csv row 3"),
    ]
    failed = section(report, "Failed loads")
    assert [file for (file,) in column(failed, "file")] == ["ventas_5.csv"]


def test_missing_days_silent_stores_and_weeks(loaded: Database):
    loaded.query(MODELS)
    report = gate_report(loaded.parameters)
    days = [day for (day,) in column(section(report, "Days without a sale"), "day")]
    assert days == [*(date(2024, 2, day) for day in range(8, 2, -1)), date(2024, 2, 1)]
    assert column(section(report, "Stores that stopped sending"), "store", "days silent") == [
        ("T-8", 10)
    ]
    weeks = section(report, "The last seven days against the seven before")
    assert column(weeks, "chain", "sales", "before", "tickets", "tickets before") == [
        ("HyperMarket", 4 * 21, 6 * 21 + 21 + 23 + 21, 2, 6)
    ]


@pytest.mark.parametrize(
    ("damage", "title", "missing"),
    [
        (
            "delete from staging.raw_ventas where fila = 2 and ticket_id = 2",
            "Every row accounted for, by load",
            ("difference", 1),
        ),
        (
            "delete from cuarentena.filas_archivo where motivo = 'NUMERO_DE_COLUMNAS'",
            "Every row accounted for, by load",
            ("difference", 1),
        ),
        (
            "delete from retail.fact_ventas where ticket_id = 2",
            "Sales accounted for, by month",
            ("rows missing", 1),
        ),
        (
            "update retail.fact_ventas set total_linea = total_linea + 0.01 where ticket_id = 2",
            "Sales accounted for, by month",
            ("money missing", pytest.approx(-0.01)),
        ),
    ],
)
def test_a_lost_row_or_cent_is_found_and_fails_the_command(loaded, damage, title, missing):
    loaded.query(MODELS)
    loaded.query(damage)
    report = gate_report(loaded.parameters)
    assert not report.accounted
    name, amount = missing
    assert float(column(section(report, title), name)[0][0]) == amount
    result = run_script(
        "load.py", "--report", "--target", "ci", env=loaded.environment, check=False
    )
    assert result.returncode == 1


def test_before_dbt_the_report_says_what_is_not_there(loaded: Database):
    report = gate_report(loaded.parameters)
    assert report.accounted
    assert "Run dbt build" in section(report, "Sales accounted for, by month").note
    assert column(section(report, "Every row accounted for, by load"), "accepted")[-1] == (3,)


def test_an_unused_target_is_said(empty_database: Database):
    with pytest.raises(LoadError, match="nothing was loaded into this target yet"):
        gate_report(empty_database.parameters)


def test_the_page_is_complete_and_escapes_what_was_delivered(loaded: Database, tmp_path):
    (tmp_path / "ventas_6.csv").write_bytes(
        lines(*[GOOD] * 9, row(hora="<script>alert(1)</script>"))
    )
    load_folder(tmp_path / "ventas_6.csv", dict(loaded.parameters), Settings(max_rejected=0.5))
    page = tmp_path / "report.html"
    command = ("load.py", "--report", "--html", str(page), "--target", "ci")
    result = run_script(*command, env=loaded.environment)
    html = page.read_text(encoding="utf-8")
    report = gate_report(loaded.parameters)
    assert all(found.title in html and found.title in result.stdout for found in report.sections)
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert "Every delivered row is accounted for." in html
    assert html == to_html(report)
