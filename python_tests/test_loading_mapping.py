"""Mapping files: a retailer's own export becomes ours, and a wrong mapping is explained."""

from hashlib import blake2b
from pathlib import Path

import polars as pl
import pytest
from conftest import PROJECT, Database, run_script
from hypothesis import given
from hypothesis import strategies as st

from retail_platform.loading import LoadError, Settings, load_folder, read_mapping
from retail_platform.loading.mapping import text_ids

EXAMPLE = PROJECT / "mappings" / "pos_example.yml"
EXPORT = """\
Sucursal;Caja;Folio;Partida;Fecha;Hora;Artículo;Cajero;Canal;Cantidad;Precio;Costo
7;1;A-0001;1;31/01/2024;09:05;3;Ana;MOSTRADOR;2;1.234,50;6,10
7;1;A-0001;2;31/01/2024;09:05;4;Ana;MOSTRADOR;0,455;10,00;6,10
8;1;A-0001;1;01/02/2024;23:59;3;Luz;WEB;1;10;6,1
7;2;A-0001;1;31/02/2024;09:05;3;Ana;MOSTRADOR;1;10,00;6,10
7;2;;1;31/01/2024;09:05;3;Ana;MOSTRADOR;1;10,00;6,10
"""


def test_the_example_reads_a_point_of_sale_export(empty_database: Database, tmp_path):
    path = tmp_path / "POS_VTA_20240131.csv"
    path.write_bytes(EXPORT.encode("latin-1"))
    settings = Settings(mapping=read_mapping(EXAMPLE), max_rejected=0.5)
    (report,) = load_folder(path, dict(empty_database.parameters), settings).files
    assert report.error is None
    assert empty_database.query(
        "select fila, linea, fecha_venta::text, hora::text, tienda_id, producto_id, canal, "
        "unidades::text, precio_unitario::text, descuento_pct::text, costo_unitario::text "
        "from staging.raw_ventas order by fila"
    ) == [
        (1, 1, "2024-01-31", "09:05:00", 7, 3, "tienda", "2.000", "1234.50", "0.00", "6.10"),
        (2, 2, "2024-01-31", "09:05:00", 7, 4, "tienda", "0.455", "10.00", "0.00", "6.10"),
        (3, 1, "2024-02-01", "23:59:00", 8, 3, "online", "1.000", "10.00", "0.00", "6.10"),
    ]
    first, second, other = (
        id
        for (id,) in empty_database.query("select ticket_id from staging.raw_ventas order by fila")
    )
    assert first == second != other
    assert empty_database.query(
        "select fila, columna, motivo, texto_original from cuarentena.filas_archivo order by 1, 2"
    ) == [
        (4, "fecha_venta", "NO_PARSEA_FECHA", "31/02/2024"),
        (5, "ticket_id", "FALTA_VALOR", None),
    ]


def test_the_command_line_checks_without_a_database(tmp_path):
    (tmp_path / "POS_VTA_20240131.csv").write_bytes(EXPORT.encode("latin-1"))
    result = run_script(
        *["load.py", str(tmp_path), "--mapping", str(EXAMPLE), "--check", "--max-rejected", "0.5"],
        env={"RETAIL_TARGET": "nowhere"},
    )
    assert "NO_PARSEA_FECHA" in result.stdout
    assert "31/02/2024" in result.stdout
    assert "columns left out: Cajero" in result.stderr


def test_text_ids_are_documented_and_stable():
    expected = int.from_bytes(blake2b(b"A-0001", digest_size=8).digest(), "big") >> 1
    assert text_ids(pl.Series(["A-0001", None, "", "A-0001"])).to_list() == [
        expected,
        None,
        None,
        expected,
    ]
    # Kept as a number: another implementation must give the same.
    assert expected == text_ids(pl.Series(["A-0001"])).item()


@given(codes=st.lists(st.text(min_size=1, max_size=20), max_size=50))
def test_text_ids_are_positive_and_distinct(codes):
    ids = text_ids(pl.Series(codes, dtype=pl.String))
    assert all(0 < number < 2**63 for number in ids)
    assert ids.n_unique() == len(set(codes))


def test_parts_of_a_code_do_not_run_together(empty_database: Database, tmp_path):
    path = tmp_path / "POS_VTA_1.csv"
    rows = EXPORT.splitlines()[:2]
    rows += [rows[1].replace("7;1;A-0001", "7;11;A-1"), rows[1].replace("7;1;A-0001", "7;1;1A-1")]
    path.write_bytes("\n".join(rows).encode("latin-1"))
    load_folder(path, dict(empty_database.parameters), Settings(mapping=read_mapping(EXAMPLE)))
    assert empty_database.query("select count(distinct ticket_id) from staging.raw_ventas") == [
        (3,)
    ]


def test_a_correction_finds_the_tickets_it_corrects(empty_database: Database, tmp_path):
    settings = Settings(mapping=read_mapping(EXAMPLE), max_rejected=0.5)
    for name, text in (("1", EXPORT), ("2", EXPORT.replace("10,00", "11,00"))):
        path = tmp_path / f"POS_VTA_{name}.csv"
        path.write_bytes(text.encode("latin-1"))
        (report,) = load_folder(path, dict(empty_database.parameters), settings).files
    assert report.replaced == 3
    assert empty_database.query("select count(*) from staging.raw_ventas") == [(3,)]


WRONG = {
    "ventas": "keys and values are needed",
    "venta: {}": "unknown key venta; allowed: devoluciones, inventario, pedidos",
    "ventas: {separador: ';'}": "ventas: unknown key separador; allowed:",
    "ventas: {separator: ';;'}": "is not one character",
    "ventas: {encoding: latin-99}": "unknown encoding 'latin-99'; use utf-8",
    "ventas: {decimal: ',', thousands: ','}": "are the same character, ','; give two",
    "ventas: {thousands: '.'}": "are the same character, '.'",
    "ventas: {dates: dmy}": "is no such format",
    "ventas: {dates: 1}": "1 is no text",
    "ventas: {columns: {precio: Precio}}": "columns: unknown key precio; allowed:",
    "ventas: {columns: {linea: {from: L, constant: 1}}}": "either from or constant",
    "ventas: {columns: {linea: {as: text_id}}}": "either from or constant",
    "ventas: {columns: {linea: {from: L, as: text_id}}}": "only a bigint column",
    "ventas: {columns: {linea: {from: L, as: hash}}}": "'hash' is unknown; allowed is text_id",
    "ventas: {columns: {canal: {from: C, values: [WEB]}}}": "give the file's values and ours",
    "ventas: {columns: {canal: {from: 3}}}": "3 is no text",
    "ventas: [": "not a readable mapping file",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_mapping_is_explained(tmp_path, text):
    path = tmp_path / "m.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LoadError) as error:
        read_mapping(path)
    assert WRONG[text] in str(error.value)
    assert str(path) in str(error.value)


def test_a_column_that_the_mapping_names_must_be_there(tmp_path: Path):
    path = tmp_path / "POS_VTA_1.csv"
    path.write_bytes(EXPORT.replace("Folio", "Numero").encode("latin-1"))
    result = run_script("load.py", str(path), "--mapping", str(EXAMPLE), "--check", check=False)
    assert result.returncode == 1
    assert "no column Folio; the file has Sucursal, Caja, Numero" in result.stderr.replace(
        "\n", " "
    )
