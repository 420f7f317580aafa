"""Planted defects: the load gate and the database give each the fate that the manifest tells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import Database, run_dbt, run_script

from retail_platform.loading import check_folder
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import LocalServer
from retail_platform.simulator.config import config_for
from retail_platform.simulator.simulation import generate

END = date(2025, 12, 31)
SHARE = 0.012
TABLES = ("ventas", "devoluciones", "inventario", "pedidos")


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world with defects."""
    folder = tmp_path_factory.mktemp("dirty")
    generate(config_for(seed=7, scale=0.05, end=END, years=3), END, folder, dirty=SHARE)
    return folder


def _manifest(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return document


def test_defects_are_off_by_default_and_planted_in_the_share_asked_for(
    dirty: Path, tmp_path: Path
) -> None:
    generate(config_for(seed=7, scale=0.05, end=END, years=3), END, tmp_path)
    clean, told = _manifest(tmp_path), _manifest(dirty)
    assert clean["defects"] == []
    assert told["totals"] == clean["totals"], "the truth is the clean world"
    planted = Counter(defect["table"] for defect in told["defects"] if defect["motivo"])
    # The other lines of a ticket in two channels count as well, so there are some more.
    assert SHARE < planted["ventas"] / clean["rows"]["ventas"] < 2 * SHARE
    assert planted["inventario"] / clean["rows"]["inventario"] == pytest.approx(SHARE, rel=0.05)
    assert planted["pedidos"] / clean["rows"]["pedidos"] == pytest.approx(SHARE, rel=0.05)
    assert planted["devoluciones"] > 0


def test_the_load_gate_refuses_exactly_the_rows_told(dirty: Path) -> None:
    report = check_folder(dirty)
    found = {
        (f"{file.file.table.subject}/{file.file.path.name}", reason): rows
        for file in report.files
        for reason, rows in file.tally.reasons.items()
    }
    defects = _manifest(dirty)["defects"]
    told = Counter((d["file"], d["motivo"]) for d in defects if d["fate"] == "file_quarantine")
    assert found == dict(told)
    refused = {f"{f.file.table.subject}/{f.file.path.name}" for f in report.failed}
    assert refused == {d["file"] for d in defects if d["fate"] == "file_refused"}


def test_every_reason_told_is_in_the_catalogue(dirty: Path) -> None:
    catalogue = Path(__file__).resolve().parents[1] / "seeds" / "motivos_rechazo.csv"
    known = {line.split(",")[0] for line in catalogue.read_text().splitlines()[1:]}
    told = {d["motivo"] for d in _manifest(dirty)["defects"] if d["motivo"]}
    assert len(told) > 15
    assert told <= known


@pytest.mark.full
def test_the_database_gives_every_defect_its_fate(
    dirty: Path, embedded_server: LocalServer, new_database: Callable[..., Database]
) -> None:
    database = new_database(embedded_server)
    run_script("load.py", "--target", "ci", str(dirty), env=database.environment, check=False)
    run_dbt("build", database=database)
    told = _manifest(dirty)
    with connect(database.parameters) as session, session.cursor() as cursor:

        def ask(text: str) -> list[tuple[Any, ...]]:
            cursor.execute(text)
            return cursor.fetchall()

        for table in TABLES:
            refused = {
                (name, row, reason)
                for name, row, reasons in ask(
                    f"select archivo, fila, motivos from cuarentena.{table} "
                    f"join staging.cargas using (carga_id)"
                )
                for reason in reasons
            } | set(
                ask(
                    "select archivo, fila, motivo from cuarentena.filas_archivo "
                    f"where tabla = 'raw_{table}'"
                )
            )
            expected = {
                (Path(d["file"]).name, d["fila"], d["motivo"])
                for d in told["defects"]
                if d["table"] == table and d["motivo"]
            }
            # A second copy of a return is also more than was sold: a row may have further reasons.
            assert expected <= refused
            assert {row[:2] for row in refused} == {row[:2] for row in expected}
        superseded = sum(d["fate"] == "superseded" for d in told["defects"])
        assert ask("select sum(filas_sustituidas) from staging.cargas") == [(superseded,)]
        for table, column in (
            ("devoluciones", "fecha_devolucion"),
            ("inventario", "fecha"),
            ("pedidos", "fecha_pedido"),
        ):
            months = ask(
                f"select to_char({column}, 'YYYY-MM'), count(*) from retail.fact_{table} group by 1"
            )
            kept = {m: entry["filas"] for m, entry in told["expected"][table].items()}
            assert dict(months) == {month: rows for month, rows in kept.items() if rows}
        for month, rows, tickets, total in ask(
            "select to_char(fecha_venta, 'YYYY-MM'), count(*), count(distinct ticket_id), "
            "sum(total_linea) from retail.fact_ventas group by 1"
        ):
            entry = told["expected"]["ventas"][month]
            assert (rows, tickets) == (entry["filas"], entry["tickets"]), month
            assert total == Decimal(entry["total_linea"]), month
