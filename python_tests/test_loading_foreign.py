"""Surroundings do not change a byte or break a message; no traceback reaches the user."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from conftest import PROJECT, Database, run_script
from psycopg2 import sql
from test_loading_bad_input import GOOD, HEADER, OTHER, lines
from test_loading_stage import sales

from retail_platform import errors
from retail_platform.loading import LoadError, Settings, check_folder, load_folder, read_mapping
from retail_platform.loading.checks import DateWindow
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import LocalServer

CHANNEL = "teléfono → ñandú €"
NARROW = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "ascii:strict", "LC_ALL": "C"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"},
]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "WIN1252", "UTF8"])
@pytest.mark.parametrize("where", ["environment", "database", "role", "role in database"])
def test_no_prescribed_encoding_changes_a_stored_byte(
    embedded_server: LocalServer,
    new_database: Callable[..., Database],
    tmp_path,
    monkeypatch,
    encoding,
    where,
):
    database = new_database(embedded_server)
    name, user = database.parameters["dbname"], database.parameters["user"]
    scope = {
        "database": f'database "{name}"',
        "role": f'role "{user}"',
        "role in database": f'role "{user}" in database "{name}"',
    }.get(where)
    admin = connect(embedded_server.admin_parameters(name))
    admin.autocommit = True
    settings = {"client_encoding": encoding, "datestyle": "SQL, DMY", "intervalstyle": "iso_8601"}
    try:
        with admin.cursor() as cursor:
            for setting, value in settings.items():
                if scope:
                    cursor.execute(
                        sql.SQL(f"alter {scope} set {setting} = {{}}").format(sql.Literal(value))
                    )
                else:
                    monkeypatch.setenv("PGCLIENTENCODING", encoding)
                    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
        path = tmp_path / "ventas_ñ.csv"
        path.write_bytes(lines(GOOD.replace("tienda", CHANNEL), GOOD.replace("10.50", "ñ")))
        load_folder(path, dict(database.parameters), Settings(max_rejected=0.5))
        assert database.query(
            "select encode(convert_to(canal, 'UTF8'), 'hex'), fecha_venta from staging.raw_ventas"
        ) == [(CHANNEL.encode().hex(), date(2024, 1, 31))]
        assert database.query("select texto_original, archivo from cuarentena.filas_archivo") == [
            ("ñ", "ventas_ñ.csv")
        ]
    finally:
        with admin.cursor() as cursor:
            for setting in settings if scope else ():
                cursor.execute(f"alter {scope} reset {setting}")
        admin.close()


@pytest.mark.parametrize("environment", NARROW)
def test_a_narrow_output_breaks_no_command(empty_database: Database, tmp_path, environment):
    folder = tmp_path / "añada"
    folder.mkdir()
    (folder / "ventas_ñ.csv").write_bytes(
        f"{HEADER},Artículo\n{GOOD},x\n{GOOD.replace('10.50', '→')},x\n".encode()
    )
    (folder / "ventas_ó.xlsx").write_bytes(b"x")
    (folder / "ventas_ú.parquet").write_bytes(b"x")
    result = run_script(
        *["load.py", str(folder), "--target", "ci", "--max-rejected", "0.5", "--report"],
        *["--html", str(folder / "página.html")],
        env=empty_database.environment | environment,
        check=False,
    )
    assert result.returncode == 1, "the torn Parquet file is refused"
    assert "Traceback" not in result.stderr and "error of the program" not in result.stderr
    assert "Delivery" in result.stdout and "NO_PARSEA_NUMERO" in result.stdout
    assert "ñ" in (folder / "página.html").read_text(encoding="utf-8")
    assert empty_database.query("select archivo from cuarentena.filas_archivo") == [
        ("ventas_ñ.csv",)
    ]


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    (tmp_path / "ventas.csv").write_bytes(lines(GOOD))
    command = f"{sys.executable} {PROJECT / 'scripts' / 'load.py'} {tmp_path} --check | true"
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, cwd=PROJECT
    )
    assert "Traceback" not in result.stderr


# Mappings, files and options that once ended in a traceback.
MAPPINGS = [
    "ventas: {columns: {linea: {from: []}}}",
    "ventas: {separator: ñ}",
    "ventas: {separator: '\"'}",
    'ventas: {separator: "\\n"}',
    "ventas: {encoding: rot13}",
    "ventas: {encoding: hex}",
    "ventas: {encoding: idna}",
    "ventas: {encoding: unicode_escape}",
    "ventas: {decimal: '-'}",
    "ventas: {thousands: '1'}",
    "ventas: {files: [[]]}",
    "ventas: {columns: {linea: {from: L, values: {a: [b]}}}}",
    "ventas: {columns: {linea: {constant: [1]}}}",
    "ventas: {columns: {canal: {constant: null}}}",
    "ventas: {columns: {fecha_venta: {from: F, zone: Luna/Base}}}",
    "ventas: {columns: {canal: {from: F, zone: UTC}}}",
    "ventas: {columns: {fecha_venta: {from: F, as: excel}}}",
    "ventas: {decimal: ',', decimal: '.'}",
    "{a: &a [x, x], b: &b [*a, *a]}",
    "? [a]\n: b",
    "[" * 100_000,
    "{a: " * 5_000,
    "ventas: !!python/object:os.system {}",
    "\x00",
]


@pytest.mark.parametrize("text", MAPPINGS, ids=range(len(MAPPINGS)))
def test_a_mapping_that_cannot_be_is_refused_with_the_place(tmp_path, text):
    path = tmp_path / "m.yml"
    path.write_text(text, encoding="utf-8")
    (tmp_path / "ventas.csv").write_bytes(lines(GOOD))
    result = run_script(
        *["load.py", str(tmp_path / "ventas.csv"), "--check", "--mapping", str(path)], check=False
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr and "error of the program" not in result.stderr
    assert "m.yml" in result.stderr
    assert len(result.stderr) < 2_000


def test_a_mapping_file_that_is_a_folder_or_missing_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.yml"):
        with pytest.raises(LoadError, match="not a readable mapping file"):
            read_mapping(path)


COMMANDS = [
    (["--last-date", "9999-12-31"], "allowed are dates from 1900-01-01 to 2999-12-31"),
    (["--first-date", "0001-01-01"], "allowed are dates from 1900-01-01"),
    (["--max-rejected", "nan"], "give 0 to 1"),
    (["--workers", "0"], "give 1 or more"),
]


@pytest.mark.parametrize(("options", "told"), COMMANDS)
def test_a_wrong_option_is_explained(tmp_path, options, told):
    (tmp_path / "ventas.csv").write_bytes(lines(GOOD))
    result = run_script("load.py", str(tmp_path), "--check", *options, check=False)
    assert result.returncode == 1
    assert told in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize("place", ["folder", "missing/page.html"])
def test_a_report_that_cannot_be_written_is_said(empty_database: Database, tmp_path, place):
    (tmp_path / "ventas.csv").write_bytes(lines(GOOD))
    (tmp_path / "folder").mkdir()
    result = run_script(
        *["load.py", str(tmp_path / "ventas.csv"), "--target", "ci", "--report"],
        *["--html", str(tmp_path / place)],
        env=empty_database.environment,
        check=False,
    )
    assert result.returncode == 1
    assert "the report cannot be written" in result.stderr and "Traceback" not in result.stderr
    assert "Every row accounted for" in result.stdout


def many_columns(count: int, separator: str = ",") -> bytes:
    names = separator.join(f"x{number}" for number in range(count))
    header = HEADER.replace(",", separator) + separator + names
    return f"{header}\n{GOOD.replace(',', separator)}{separator * count}\n".encode()


FILES = {
    "200,000 columns": (many_columns(200_000), "the header has 200,011 columns; allowed are 2,000"),
    "200,000 columns with tabs": (many_columns(200_000, "\t"), "allowed are 2,000"),
    "a header of 10 MB": (b"x" * 10_000_000 + b"\n1\n", "none of the columns"),
    "names equal but for case": (
        lines(GOOD).replace(b"canal", b"Linea"),
        "column Linea and linea comes more than once",
    ),
    "names equal but for case, not needed": (
        f"{HEADER},Nota,NOTA\n{GOOD},a,b\n".encode(),
        "column NOTA and Nota comes more than once",
    ),
    "a NUL in the header": (lines(GOOD).replace(b"canal", b"ca\0nal"), "no column canal"),
    "nothing but quotation marks": (b'"' * 5_000_000, "cannot"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_monstrous_file_is_refused_and_the_others_are_not(empty_database, tmp_path, name):
    content, told = FILES[name]
    (tmp_path / "ventas_1.csv").write_bytes(content)
    (tmp_path / "ventas_2.csv").write_bytes(lines(OTHER))
    report = load_folder(tmp_path, dict(empty_database.parameters))
    assert [file.file.path.name for file in report.failed] == ["ventas_1.csv"]
    message = str(report.failed[0].error)
    assert told in message or name == "nothing but quotation marks", message
    assert "error of the program" not in message and len(message) <= 2_000
    assert empty_database.query("select count(*) from staging.raw_ventas") == [(1,)]


def test_what_nobody_foresaw_is_one_line_with_a_log(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(errors.tempfile, "tempdir", str(tmp_path))

    def fail() -> int:
        raise ZeroDivisionError("of \x1b[31m all\nthings")

    assert errors.report_user_errors(fail) == 70
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "\x1b" not in told and "Traceback" not in told
    (log,) = tmp_path.iterdir()
    assert str(log) in told
    assert "Traceback" in log.read_text(encoding="utf-8")


def parquet(folder: Path, **columns: pl.Expr | pl.Series) -> Path:
    """Four rows of sales with other columns."""
    path = folder / "ventas.parquet"
    sales(date(2024, 1, 31), range(1, 3)).with_columns(**columns).write_parquet(path)
    return path


UNCLEAR = {
    "timestamp": (pl.lit("2024-01-31 23:30:00").str.to_datetime(), "say it in a mapping file"),
    "timestamp with zone": (
        pl.lit("2024-01-31 23:30:00").str.to_datetime().dt.replace_time_zone("UTC"),
        "zone: America/Mexico_City",
    ),
    "integer": (pl.lit(20240131), "a number is no date"),
    "boolean": (pl.lit(True), "a date is needed"),
    "decimal": (pl.lit("1.0").cast(pl.Decimal(5, 1)), "a date is needed"),
    "time": (pl.time(10, 0), "a date is needed"),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_a_parquet_column_that_could_be_several_dates_is_refused(tmp_path, name):
    values, told = UNCLEAR[name]
    (report,) = check_folder(parquet(tmp_path, fecha_venta=values)).files
    assert "column fecha_venta is" in str(report.error) and told in str(report.error)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("hora", pl.lit("2024-01-31 23:30:00").str.to_datetime()),
        ("hora", pl.lit(10_000)),
        ("unidades", pl.lit(True)),
        ("unidades", pl.lit(date(2024, 1, 1))),
        ("ticket_id", pl.lit(date(2024, 1, 1))),
        ("canal", pl.lit(1.5)),
        ("canal", pl.lit(b"x")),
        ("canal", pl.lit([1])),
        ("canal", pl.struct(a=1)),
    ],
)
def test_a_parquet_type_that_does_not_fit_is_refused(tmp_path, column, values):
    (report,) = check_folder(parquet(tmp_path, **{column: values})).files
    assert f"column {column} is" in str(report.error)
    assert "needed" in str(report.error)


MEANINGS = {
    "zone: local": (pl.lit("2024-01-31 23:30:00").str.to_datetime(), date(2024, 1, 31)),
    "zone: America/Mexico_City": (
        pl.lit("2024-02-01 03:00:00").str.to_datetime().dt.replace_time_zone("UTC"),
        date(2024, 1, 31),
    ),
    "as: yyyymmdd": (pl.lit(20240131), date(2024, 1, 31)),
    "as: days_since_1970": (pl.lit(19_753), date(2024, 1, 31)),
}


@pytest.mark.parametrize("meaning", MEANINGS)
def test_a_declared_meaning_is_read(empty_database: Database, tmp_path, meaning):
    values, day = MEANINGS[meaning]
    mapping = tmp_path / "m.yml"
    mapping.write_text(f"ventas: {{columns: {{fecha_venta: {{from: fecha_venta, {meaning}}}}}}}")
    path = parquet(tmp_path, fecha_venta=values)
    settings = Settings(mapping=read_mapping(mapping))
    (report,) = load_folder(path, dict(empty_database.parameters), settings).files
    assert report.error is None
    assert empty_database.query("select distinct fecha_venta from staging.raw_ventas") == [(day,)]


def test_a_day_that_does_not_exist_is_refused_as_written(tmp_path):
    mapping = tmp_path / "m.yml"
    mapping.write_text(
        "ventas: {columns: {fecha_venta: {from: fecha_venta, as: yyyymmdd}}}", encoding="utf-8"
    )
    settings = Settings(max_rejected=1, mapping=read_mapping(mapping))
    (report,) = check_folder(parquet(tmp_path, fecha_venta=pl.lit(20240231)), settings).files
    assert report.tally.reasons == {"NO_PARSEA_FECHA": 4}


def test_names_equal_but_for_case_are_refused_in_parquet(tmp_path):
    (report,) = check_folder(parquet(tmp_path, LINEA=pl.lit(9))).files
    assert "column LINEA and linea comes more than once" in str(report.error)


NUMBERS = {
    # A Float64 is the decimal nearest to it.
    "0.30000000000000004": (pl.Float64, None),
    "10.5": (pl.Float64, None),
    "10.5000001": (pl.Float64, "PRECISION_EXCESIVA"),
    "1e-300": (pl.Float64, "PRECISION_EXCESIVA"),
    "10.1": (pl.Float32, None),
    "10.1234": (pl.Float32, "PRECISION_EXCESIVA"),
    "10.505": (pl.Decimal(20, 3), "PRECISION_EXCESIVA"),
    "10.500": (pl.Decimal(20, 3), None),
    "99999999.995": (pl.Decimal(20, 3), "FUERA_DE_RANGO"),
}


@pytest.mark.parametrize("text", NUMBERS)
def test_typed_numbers_are_refused_not_rounded(tmp_path, text):
    dtype, reason = NUMBERS[text]
    path = parquet(tmp_path, precio_unitario=pl.lit(text).cast(dtype))
    (report,) = check_folder(path, Settings(max_rejected=1)).files
    assert dict(report.tally.reasons) == ({reason: 4} if reason else {})


def test_whole_numbers_that_a_float_cannot_tell_apart_are_refused(tmp_path):
    path = parquet(tmp_path, ticket_id=pl.lit(2.0**60))
    (report,) = check_folder(path, Settings(max_rejected=1)).files
    assert report.tally.reasons == {"FUERA_DE_RANGO": 4}
    path = parquet(tmp_path, ticket_id=pl.lit(1e15 + 0.5))
    (report,) = check_folder(path, Settings(max_rejected=1)).files
    assert report.tally.reasons == {"PRECISION_EXCESIVA": 4}


def test_a_date_window_in_range_is_accepted():
    assert Settings(window=DateWindow(date(1900, 1, 1), date(2999, 12, 31)))


def test_the_value_null_of_a_mapping_is_no_value(empty_database: Database, tmp_path):
    mapping = tmp_path / "m.yml"
    mapping.write_text(
        "promociones:\n  columns:\n    formato: {constant: null}\n"
        "    promocion_id: {constant: 007}\n"
        "    descuento_pct: {from: descuento_pct, values: {NO: 0, 'null': null}}\n"
    )
    header = "producto_id,fecha_inicio,fecha_fin,descuento_pct"
    (tmp_path / "promociones.csv").write_text(f"{header}\n3,2024-01-01,2024-01-02,NO\n")
    settings = Settings(mapping=read_mapping(mapping))
    (report,) = load_folder(
        tmp_path / "promociones.csv", dict(empty_database.parameters), settings
    ).files
    assert report.error is None
    assert empty_database.query(
        "select promocion_id, formato, descuento_pct::int from staging.raw_promociones"
    ) == [(7, None, 0)]


def test_unreadable_folders_are_named(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tmp_path / "ventas_1.csv").write_bytes(lines(GOOD))
    (tmp_path / "closed").mkdir(mode=0)
    report = check_folder(tmp_path)
    assert "the folder cannot be read" in report.passed_over[0].reason
