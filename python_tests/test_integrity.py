"""Rows that somebody changed by hand are found, named and brought back."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from conftest import PROJECT, Database, create_database, drop_database, run_dbt
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_platform.integrity import (
    NIGHTS,
    Difference,
    Model,
    compare,
    read_models,
    repair,
    share_of_night,
)
from retail_platform.postgres.server import LocalServer

CHECK = [sys.executable, "-m", "retail_platform", "check", "--target", "ci"]


@pytest.fixture(scope="module")
def database(embedded_server: LocalServer, built_database: Database) -> Iterator[Database]:
    """A copy of the built database that was changed by hand in six places."""
    made = create_database(embedded_server, built_database.parameters["dbname"])
    for statement in (
        # Nothing that a constraint or a total of the month sees.
        """
        update retail.fact_ventas set hora = hora + interval '1 minute'
        where (ticket_id, linea, fecha_venta) = (
            select ticket_id, linea, fecha_venta from retail.fact_ventas
            where fecha_venta between '2022-03-01' and '2022-03-31' limit 1
        )
        """,
        """
        delete from retail.fact_inventario
        where (fecha, tienda_id, producto_id) = (
            select fecha, tienda_id, producto_id from retail.fact_inventario
            where fecha between '2022-05-01' and '2022-05-31' limit 1
        )
        """,
        "truncate retail.agg_ventas_mes_tienda_producto_p202206",
        "update retail.dim_producto set marca = 'Otra' where producto_id = 7",
        "update retail.historia_tienda set region = 'Otra' where tienda_id = 3",
        """
        insert into cuarentena.ventas (ticket_id, linea, fecha_venta, carga_id, fila, motivos)
        values (1, 1, '2022-04-02', 1, 1, array['LINEA_DUPLICADA'])
        """,
    ):
        made.query(statement)
    yield made
    drop_database(made)


@pytest.fixture(scope="module")
def models(database: Database) -> list[Model]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in database.environment.items():
            patch.setenv(name, value)
        patch.setenv("DBT_TARGET_PATH", str(database.folder / "target"))
        return read_models("ci")


@pytest.fixture
def found(database: Database, models: list[Model]) -> Callable[..., list[Difference]]:
    """A function: the differences of a night, or of everything."""

    def find(night: date | None = None) -> list[Difference]:
        with closing(database.connect()) as session:
            return compare(session, models, night)

    return find


def shown(differences: list[Difference]) -> dict[str, tuple[int, int]]:
    return {str(one.part): (one.missing, one.extra) for one in differences}


def test_each_change_is_found_with_its_rows_and_month(found: Callable[..., list]) -> None:
    differences = found()
    [(months_rows, *_)] = [
        (one.missing, one.extra) for one in differences if "agg" in one.part.model.name
    ]
    assert shown(differences) == {
        "dim_producto": (1, 0),
        "historia_tienda": (1, 1),
        "fact_inventario 2022-05": (1, 0),
        "fact_ventas 2022-03": (1, 1),
        "cuarentena_ventas 2022-04": (0, 1),
        "agg_ventas_mes_tienda_producto 2022-06": (months_rows, 0),
    }
    assert months_rows > 100
    assert not any(one.pending for one in differences)
    samples = {one.part.model.name: one.samples for one in differences}
    assert len(samples["fact_ventas"]) == 2
    assert samples["dim_producto"] and ",Otra," in samples["dim_producto"][0]


def test_a_night_finds_what_lies_in_its_share(found: Callable[..., list]) -> None:
    march = date(2022, 3, 1)
    [night] = [
        date(2026, 1, 1) + timedelta(days=n)
        for n in range(NIGHTS)
        if share_of_night([march], date(2026, 1, 1) + timedelta(days=n))
    ]
    assert shown(found(night)).keys() == {"fact_ventas 2022-03", "dim_producto", "historia_tienda"}
    assert shown(found(night + timedelta(days=5))).keys() == {
        "dim_producto",
        "historia_tienda",
    }


def test_what_is_not_built_yet_is_no_fault(database: Database, found: Callable[..., list]) -> None:
    statement = """
        update staging.versiones_mes set actualizada_en = %s
        where tabla = 'raw_inventario' and mes = '2022-05-01' returning actualizada_en
    """
    [(before,)] = database.query(
        "select actualizada_en from staging.versiones_mes"
        " where tabla = 'raw_inventario' and mes = '2022-05-01'"
    )
    database.query(statement, "2100-01-01")
    pending = {str(one.part) for one in found() if one.pending}
    database.query(statement, before)
    assert pending == {"fact_inventario 2022-05"}


@pytest.mark.full
def test_the_command_says_how_to_bring_it_back_and_that_works(database: Database) -> None:
    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            CHECK,
            cwd=PROJECT,
            env=_environment(database),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    first = check()
    assert first.returncode == 1, first.stderr
    assert "fact_ventas 2022-03: 1 rows as delivered are missing, 1 are there" in first.stdout
    assert "6 differ" in first.stdout
    commands = re.findall(r"^    dbt (build .*)$", first.stdout, re.M)
    assert len(commands) == 2  # the dimension and the history; four months in a row
    for command in commands:
        arguments = shlex.split(command)
        where = arguments.index("--target")
        del arguments[where : where + 2]
        run_dbt(*arguments, "--exclude-resource-type", "test", "unit_test", database=database)
    second = check()
    assert second.returncode == 0, second.stdout + second.stderr
    assert "0 differ" in second.stdout


def _environment(database: Database) -> dict[str, str]:
    import os

    folder = database.folder
    return {
        **os.environ,
        **database.environment,
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }


@settings(max_examples=200, deadline=None)
@given(
    first=st.dates(date(2000, 1, 1), date(2090, 1, 1)),
    count=st.integers(0, 200),
    start=st.dates(date(2000, 1, 1), date(2090, 1, 1)),
)
def test_any_thirty_nights_compare_every_month_once(first: date, count: int, start: date) -> None:
    months = [
        date((first.year * 12 + n) // 12, (first.year * 12 + n) % 12 + 1, 1) for n in range(count)
    ]
    nights = [share_of_night(months, start + timedelta(days=n)) for n in range(NIGHTS)]
    assert sorted(month for night in nights for month in night) == months
    assert max(map(len, nights)) <= -(-count // NIGHTS)


def test_months_in_a_row_are_one_command() -> None:
    def at(month: date | None, pending: bool = False) -> Difference:
        model = SimpleNamespace(name="dim_x" if month is None else "fact_x")
        part = SimpleNamespace(model=model, lower=month)
        return Difference(part, 1, 0, (), pending)  # type: ignore[arg-type]

    months = [date(2024, 11, 1), date(2024, 12, 1), date(2025, 1, 1), date(2025, 3, 1)]
    found = [*map(at, months), at(date(2024, 12, 1)), at(date(2020, 1, 1), pending=True), at(None)]
    assert repair(found, "rds") == [
        "dbt build --target rds --select dim_x",
        "dbt build --target rds --vars 'rebuild_range: [2024-11-01, 2025-01-01]'",
        "dbt build --target rds --vars 'rebuild_range: [2025-03-01, 2025-03-01]'",
    ]
