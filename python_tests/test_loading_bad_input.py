"""Every kind of bad input has a known fate: rows refused for known reasons, or a file refused."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from conftest import PROJECT, Database

from retail_platform.loading import (
    FileMapping,
    FileReport,
    Settings,
    check_folder,
    find_files,
    load_folder,
)
from retail_platform.loading.checks import TextFormats, check
from retail_platform.loading.files import read_batches
from retail_platform.loading.mapping import TableMapping
from retail_platform.loading.tables import RAW_TABLES, SALES

COLUMNS = {
    "ticket_id": "1",
    "linea": "1",
    "fecha_venta": "2024-01-31",
    "hora": "10:30:00",
    "tienda_id": "7",
    "producto_id": "3",
    "canal": "tienda",
    "unidades": "2",
    "precio_unitario": "10.50",
    "descuento_pct": "0",
    "costo_unitario": "6.10",
}
HEADER = ",".join(COLUMNS)
GOOD = ",".join(COLUMNS.values())
OTHER = GOOD.replace("1,1,", "2,1,", 1)


def row(**changes: str) -> str:
    """A good row but for some fields."""
    return ",".join((COLUMNS | changes).values())


def lines(*rows: str) -> bytes:
    """A file with a header and some rows."""
    return "\n".join([HEADER, *rows, ""]).encode()


@dataclass(frozen=True)
class Case:
    """A file and its fate.

    Attributes:
        content: Its bytes.
        accepted: Rows accepted.
        reasons: Rows by reason.
        error: Part of the message if the whole file is refused.
        name: File name.
        encoding: Encoding that is declared.
    """

    content: bytes
    accepted: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    name: str = "ventas.csv"
    encoding: str = "utf-8"


def one(reason: str, *bad: str) -> Case:
    """A good row and a bad one with one reason."""
    return Case(lines(*bad, GOOD), 1, {reason: 1})


# The values of one field.
FIELDS = {
    "price is negative": one("VALOR_NEGATIVO", row(precio_unitario="-0.01")),
    "price is text": one("NO_PARSEA_NUMERO", row(precio_unitario="gratis")),
    "price has a currency sign": one("NO_PARSEA_NUMERO", row(precio_unitario="$10.50")),
    "price is not a number": one("NO_PARSEA_NUMERO", row(precio_unitario="NaN")),
    "price is infinite": one("NO_PARSEA_NUMERO", row(precio_unitario="inf")),
    "price overflows the column": one("FUERA_DE_RANGO", row(precio_unitario="100000000.00")),
    "price has 40 digits": one("FUERA_DE_RANGO", row(precio_unitario="9" * 40)),
    "price has a third decimal": one("PRECISION_EXCESIVA", row(precio_unitario="10.505")),
    "price has a third decimal that rounds": one(
        "PRECISION_EXCESIVA", row(precio_unitario="10.5099999")
    ),
    "price has a far decimal": one(
        "PRECISION_EXCESIVA", row(precio_unitario="10.5000000000000000000000000001")
    ),
    "price rounds to a number too large": one(
        "FUERA_DE_RANGO", row(precio_unitario="99999999.999")
    ),
    "price has an exponent": one("NO_PARSEA_NUMERO", row(precio_unitario="1.05e1")),
    "price has an exponent and no point": one("NO_PARSEA_NUMERO", row(precio_unitario="1E2")),
    "price is a tiny number": one("NO_PARSEA_NUMERO", row(precio_unitario="1e-400")),
    "price is a huge number": one("NO_PARSEA_NUMERO", row(precio_unitario="1e400")),
    "price ends in a point": Case(lines(row(precio_unitario="10.")), 1),
    "price has leading zeros and a sign": Case(lines(row(precio_unitario="+0010.50")), 1),
    "discount rounds into its range": one("PRECISION_EXCESIVA", row(descuento_pct="100.001")),
    "channel has 1000 characters of two bytes": Case(lines(row(canal="ñ" * 1_000)), 1),
    "channel has 1001 characters": one("TEXTO_DEMASIADO_LARGO", row(canal="ñ" * 1_001)),
    "price has zeros as further decimals": Case(lines(row(precio_unitario="10.5000")), 1),
    "price has an undeclared decimal comma": one(
        "NO_PARSEA_NUMERO", row(precio_unitario='"10,50"')
    ),
    "price has an undeclared thousands separator": one(
        "NO_PARSEA_NUMERO", row(precio_unitario='"1,010.50"')
    ),
    "price is empty": one("FALTA_VALOR", row(precio_unitario="")),
    "price is blank": one("FALTA_VALOR", row(precio_unitario="   ")),
    "price is an empty quoted text": one("FALTA_VALOR", row(precio_unitario='""')),
    "price has spaces around": Case(lines(row(precio_unitario=" 10.50 ")), 1),
    "units are zero": one("FUERA_DE_RANGO", row(unidades="0")),
    "units are negative": one("VALOR_NEGATIVO", row(unidades="-1")),
    "discount is above 100": one("FUERA_DE_RANGO", row(descuento_pct="100.01")),
    "date is 0000-00-00": one("NO_PARSEA_FECHA", row(fecha_venta="0000-00-00")),
    "date is 31 February": one("NO_PARSEA_FECHA", row(fecha_venta="2024-02-31")),
    "date is 29 February of no leap year": one("NO_PARSEA_FECHA", row(fecha_venta="2023-02-29")),
    "date is in another format": one("NO_PARSEA_FECHA", row(fecha_venta="31/01/2024")),
    "date is a spreadsheet's number": one("NO_PARSEA_FECHA", row(fecha_venta="45322")),
    "date has a time": one("NO_PARSEA_FECHA", row(fecha_venta="2024-01-31 10:30:00")),
    "date is in the future": one("FECHA_FUERA_DE_VENTANA", row(fecha_venta="2099-01-01")),
    "date is in the year 1900": one("FECHA_FUERA_DE_VENTANA", row(fecha_venta="1900-01-01")),
    "date has five digits in its year": one("NO_PARSEA_FECHA", row(fecha_venta="20244-01-31")),
    "hour is 25": one("NO_PARSEA_HORA", row(hora="25:00:00")),
    "hour is empty": one("FALTA_VALOR", row(hora="")),
    "ticket is text": one("NO_PARSEA_ENTERO", row(ticket_id="T-0001")),
    "ticket has decimals": one("NO_PARSEA_ENTERO", row(ticket_id="1.5")),
    "ticket is zero": one("FUERA_DE_RANGO", row(ticket_id="0")),
    "ticket overflows 64 bits": one("FUERA_DE_RANGO", row(ticket_id="9223372036854775808")),
    "line overflows 16 bits": one("FUERA_DE_RANGO", row(linea="32768")),
    "store overflows 32 bits": one("FUERA_DE_RANGO", row(tienda_id="2147483648")),
    "store is missing": one("FALTA_VALOR", row(tienda_id="")),
    "channel has a NUL byte": one("CARACTER_INVALIDO", row(canal="tien\0da")),
    "number has a NUL byte": one("NO_PARSEA_ENTERO", row(tienda_id="7\0")),
    "channel is 1 MB long": one("TEXTO_DEMASIADO_LARGO", row(canal="x" * 1_000_000)),
    "quoted channel is 1 MB long": one("TEXTO_DEMASIADO_LARGO", row(canal=f'"{"x" * 1_000_000}"')),
    "several fields are bad": Case(
        lines(row(fecha_venta="x", unidades="0", canal=""), GOOD),
        1,
        {"NO_PARSEA_FECHA": 1, "FUERA_DE_RANGO": 1, "FALTA_VALOR": 1},
    ),
}

# The structure of rows and files.
STRUCTURE = {
    "row has a field less": one("NUMERO_DE_COLUMNAS", GOOD.rpartition(",")[0]),
    "row has a field more": one("NUMERO_DE_COLUMNAS", GOOD + ",9"),
    "a row less and a row more cancel out": Case(
        lines(GOOD.rpartition(",")[0], GOOD + ",9", GOOD), 1, {"NUMERO_DE_COLUMNAS": 2}
    ),
    "row is one word": one("NUMERO_DE_COLUMNAS", "TOTAL"),
    "file is cut in its last row": Case(lines(GOOD, OTHER)[:-30], 1, {"NUMERO_DE_COLUMNAS": 1}),
    "last line has no line break": Case(lines(GOOD, OTHER)[:-1], 2),
    "quotation mark is not closed": one("COMILLAS_INVALIDAS", row(canal='"tienda')),
    "quotation mark is not closed in the last row": Case(
        lines(GOOD, row(canal='"tienda')), 1, {"COMILLAS_INVALIDAS": 1}
    ),
    "text follows a closing quotation mark": one("COMILLAS_INVALIDAS", row(canal='"tien"da')),
    "quotation mark within a field": Case(lines(row(canal='5" tubo'), GOOD), 2),
    "quotation marks are doubled": Case(lines(row(canal='"5"" tubo"'), GOOD), 2),
    "line break within quotation marks": Case(lines(row(canal='"tienda\ncentro"'), GOOD), 2),
    "separator within quotation marks": Case(lines(row(canal='"tienda,centro"'), GOOD), 2),
    "blank lines between rows": Case(lines(GOOD, "", "  ", OTHER, ""), 2),
    "line endings are mixed": Case(f"{HEADER}\r\n{GOOD}\n{OTHER}\r{GOOD}\r\n".encode(), 3),
    "byte order mark": Case(b"\xef\xbb\xbf" + lines(GOOD), 1),
    "header has spaces and capitals": Case(
        lines(GOOD).replace(HEADER.encode(), HEADER.upper().replace(",", " , ").encode()), 1
    ),
    "header comes again in the middle": Case(
        lines(GOOD, HEADER, OTHER),
        2,
        {"NO_PARSEA_ENTERO": 4, "NO_PARSEA_FECHA": 1, "NO_PARSEA_HORA": 1, "NO_PARSEA_NUMERO": 4},
    ),
    "Latin-1 row in a UTF-8 file": Case(
        lines(row(canal="teléfono"), GOOD).replace("é".encode(), b"\xe9"),
        1,
        {"CODIFICACION_INVALIDA": 1},
    ),
    "UTF-8 file declared as UTF-16": Case(lines(GOOD), error="UTF-16", encoding="utf-16"),
    "undefined byte of the declared code page": Case(
        lines(row(canal="X"), GOOD).replace(b"X", b"\x81"),
        1,
        {"CODIFICACION_INVALIDA": 1},
        encoding="cp1252",
    ),
    "header only": Case(lines(), 0),
    "file is empty": Case(b"", error="the file is empty"),
    "file has only line breaks": Case(b"\n\r\n\n", error="the file is empty"),
    "gz file is cut": Case(
        gzip.compress(lines(*[GOOD] * 100_000))[:-100], error="to its end", name="ventas.csv.gz"
    ),
    "gz file is not one": Case(lines(GOOD), error="to its end", name="ventas.csv.gz"),
    "zst file is not one": Case(
        b"\x28\xb5\x2f\xfd torn", error="to its end", name="ventas.csv.zst"
    ),
    "Parquet file is not one": Case(lines(GOOD), error="not a readable", name="ventas.parquet"),
    "column comes twice": Case(
        lines(GOOD).replace(b"linea", b"ticket_id"), error="ticket_id comes more than once"
    ),
    "column is missing": Case(
        lines(GOOD).replace(b"linea", b"renglon"), error="no column linea; the file has ticket_id"
    ),
    "column more": Case(f"{HEADER},cajero\n{GOOD},Ana\n".encode(), 1),
    "no header": Case(f"{GOOD}\n{OTHER}\n".encode(), error="none of the columns"),
    "binary without line breaks": Case(b"\xff\xfe\x01" * 5_000_000, error="not a CSV file"),
}


def fate(tmp_path: Path, case: Case) -> FileReport:
    """Check a case's file without a database."""
    path = tmp_path / case.name
    path.write_bytes(case.content)
    mapping = FileMapping({"raw_ventas": TableMapping(encoding=case.encoding)})
    (report,) = check_folder(path, Settings(max_rejected=1, mapping=mapping)).files
    return report


NOTATIONS = {
    # Thousands, decimal, number, what it is; None if it is refused.
    "grouped": (".", ",", "1.234,50", "1234.50"),
    "not grouped": (".", ",", "1234,50", "1234.50"),
    "millions": (".", ",", "1.234.567,5", "1234567.50"),
    "negative group": (".", ",", "12.34,50", None),
    "a point for the decimal comma": (".", ",", "10.50", None),
    "a point where none is declared": (None, ",", "10.50", None),
    "a comma that is declared": (None, ",", "10,50", "10.50"),
    "two commas": (None, ",", "1,050,00", None),
    "groups with spaces": (" ", ",", "12 345,60", "12345.60"),
    "a group too long": (",", ".", "1,2345.60", None),
    "groups of the point's notation": (",", ".", "12,345.60", "12345.60"),
}


@pytest.mark.parametrize("name", NOTATIONS)
def test_a_number_is_read_in_the_declared_notation_or_refused(tmp_path, name):
    thousands, decimal, text, value = NOTATIONS[name]
    path = tmp_path / "ventas.csv"
    path.write_bytes(lines(row(precio_unitario=f'"{text}"', costo_unitario="6")))
    formats = TextFormats(decimal=decimal, thousands=thousands)
    mapping = FileMapping({"raw_ventas": TableMapping(formats=formats, separator=",")})
    settings = Settings(max_rejected=1, mapping=mapping)
    (report,) = check_folder(path, settings).files
    assert dict(report.tally.reasons) == ({} if value else {"NO_PARSEA_NUMERO": 1})
    if value:
        (file,) = find_files([path], mapping).files
        (batch,) = read_batches(file)
        checked = check(batch.rows, SALES, settings.window, formats)
        assert str(checked.accepted["precio_unitario"].item()) == value


@pytest.mark.parametrize("name", [*FIELDS, *STRUCTURE])
def test_fate(tmp_path, name):
    case = (FIELDS | STRUCTURE)[name]
    report = fate(tmp_path, case)
    if case.error:
        assert report.error is not None and case.error in report.error
    else:
        assert report.error is None
        assert dict(report.tally.reasons) == case.reasons
        assert report.tally.accepted == case.accepted


def test_there_are_forty_kinds_of_bad_input():
    assert len(FIELDS) + len(STRUCTURE) >= 40


OTHER_TABLES = {
    "product with a negative cost": ("raw_productos", {"costo_unitario": "-1"}, "VALOR_NEGATIVO"),
    "product neither active nor not": ("raw_productos", {"activo": "quizá"}, "NO_PARSEA_BOOLEANO"),
    "product withdrawn before its launch": (
        "raw_productos",
        {"fecha_lanzamiento": "2024-01-02", "fecha_retiro": "2024-01-01"},
        "FECHAS_INCOHERENTES",
    ),
    "product without a name": ("raw_productos", {"nombre_producto": ""}, "FALTA_VALOR"),
    "store closed before its opening": (
        "raw_tiendas",
        {"fecha_apertura": "2024-01-02", "fecha_cierre": "2024-01-01"},
        "FECHAS_INCOHERENTES",
    ),
    "store opened in the year 24": (
        "raw_tiendas",
        {"fecha_apertura": "0024-01-01"},
        "FECHA_FUERA_DE_VENTANA",
    ),
    "promotion of 150 percent": ("raw_promociones", {"descuento_pct": "150"}, "FUERA_DE_RANGO"),
    "return before its sale": (
        "raw_devoluciones",
        {"fecha_venta": "2024-02-01", "fecha_devolucion": "2024-01-31"},
        "FECHAS_INCOHERENTES",
    ),
    "return without money": ("raw_devoluciones", {"importe": ""}, "FALTA_VALOR"),
    "stock that does not add up": ("raw_inventario", {"stock_final": "11"}, "SALDO_DESCUADRADO"),
    "negative stock": (
        "raw_inventario",
        {"stock_inicial": "-1", "stock_final": "-1"},
        "VALOR_NEGATIVO",
    ),
    "product sold by the dozen": (
        "raw_productos",
        {"unidad_medida": "docena"},
        "UNIDAD_DESCONOCIDA",
    ),
    "empty case": ("raw_productos", {"piezas_por_caja": "0"}, "FUERA_DE_RANGO"),
    "order delivered before it was made": (
        "raw_pedidos",
        {"fecha_entrega": "2024-01-31"},
        "FECHAS_INCOHERENTES",
    ),
    "more than was ordered": ("raw_pedidos", {"unidades_recibidas": "2"}, "RECEPCION_INCOHERENTE"),
    "receipts of an open order": ("raw_pedidos", {"fecha_entrega": ""}, "RECEPCION_INCOHERENTE"),
    "order of nothing": ("raw_pedidos", {"unidades_pedidas": "0"}, "FUERA_DE_RANGO"),
}
VALUES = {"date": "2024-02-01", "time(0)": "10:00:00", "boolean": "true", "text": "x"}


@pytest.mark.parametrize("name", OTHER_TABLES)
def test_fate_in_the_other_tables(tmp_path, name):
    table_name, changes, reason = OTHER_TABLES[name]
    table = RAW_TABLES[table_name]
    good = {c.name: VALUES.get(c.sql_type, "1") for c in table.columns}
    good |= {name: "0" for name in good if name == "stock_final"}
    good |= {name: "kg" for name in good if name == "unidad_medida"}
    path = tmp_path / f"{table.subject}.csv"
    frame = pl.DataFrame([good, good | changes], schema=list(good))
    frame.write_csv(path)
    (report,) = check_folder(path, Settings(max_rejected=1)).files
    assert report.tally.accepted == 1
    assert reason in report.tally.reasons


def test_all_bad_rows_together_reach_quarantine_and_only_they(empty_database: Database, tmp_path):
    bad = [case for case in FIELDS.values() if case.reasons and b"\0" not in case.content]
    content = lines(*(text.decode() for case in bad for text in case.content.splitlines()[1:-1]))
    path = tmp_path / "ventas.csv"
    path.write_bytes(content + GOOD.encode())
    (report,) = load_folder(path, dict(empty_database.parameters), Settings(max_rejected=1)).files
    assert report.error is None
    expected: dict[str, int] = {}
    for case in bad:
        for reason, count in case.reasons.items():
            expected[reason] = expected.get(reason, 0) + count
    assert (
        dict(
            empty_database.query("select motivo, count(*) from cuarentena.filas_archivo group by 1")
        )
        == expected
    )
    assert empty_database.query(
        "select filas_entregadas, filas_rechazadas, "
        "(select count(distinct fila) from cuarentena.filas_archivo) from staging.cargas"
    ) == [(len(bad) + 1, len(bad), len(bad))]


def test_original_text_is_kept(empty_database: Database, tmp_path):
    path = tmp_path / "ventas.csv"
    path.write_bytes(lines(GOOD, row(canal="a\0b"), row(precio_unitario="1.2.3"), "TOTAL;5", GOOD))
    load_folder(path, dict(empty_database.parameters), Settings(max_rejected=1))
    assert empty_database.query(
        "select fila, columna, motivo, texto_original from cuarentena.filas_archivo order by fila"
    ) == [
        (2, "canal", "CARACTER_INVALIDO", "a\\0b"),
        (3, "precio_unitario", "NO_PARSEA_NUMERO", "1.2.3"),
        (4, None, "NUMERO_DE_COLUMNAS", "TOTAL;5"),
    ]


def test_every_reason_is_in_the_catalogue_and_every_file_reason_is_used():
    catalogue = pl.read_csv(PROJECT / "seeds" / "motivos_rechazo.csv")
    assert catalogue["motivo"].is_unique().all()
    assert set(catalogue["nivel"]) == {"archivo", "base"}
    used = {reason for case in (FIELDS | STRUCTURE).values() for reason in case.reasons}
    used |= {reason for _, _, reason in OTHER_TABLES.values()}
    assert used == set(catalogue.filter(pl.col("nivel") == "archivo")["motivo"])


def test_the_documentation_lists_every_reason():
    catalogue = pl.read_csv(PROJECT / "seeds" / "motivos_rechazo.csv")
    page = (PROJECT / "docs" / "load-gate.md").read_text(encoding="utf-8")
    listed = [line for line in page.splitlines() if line.startswith("| `")]
    assert listed == [f"| `{a}` | {b} | {c} |" for a, b, c in catalogue.iter_rows()]
