"""Rows that break a rule of the database: not published above the threshold, kept, let go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Database, run_dbt

from retail_platform.postgres.server import LocalServer

MONTH = "2025-03-01"
SELECTION = ("--select", "+fact_ventas", "cuarentena_ventas")


@pytest.fixture
def database(
    embedded_server: LocalServer, built_database: Database, new_database: Callable[..., Database]
) -> Database:
    """A built database in which the lines of the first two days of a month lost their product."""
    copy = new_database(embedded_server, built_database)
    copy.query(
        """
        update staging.raw_ventas set producto_id = 9999
        where fecha_venta between '2025-03-01' and '2025-03-02'
        """
    )
    copy.query(
        """
        update staging.versiones_mes set version = version + 1000
        where tabla = 'raw_ventas' and mes = '2025-03-01'
        """
    )
    return copy


def lines_of_month(database: Database) -> int:
    """Published lines of the month."""
    return int(
        database.query(
            "select count(*) from retail.fact_ventas where date_trunc('month', fecha_venta) = %s",
            MONTH,
        )[0][0]
    )


def refused(database: Database) -> list[tuple]:
    """Reasons in quarantine, with their rows."""
    return database.query("select motivos, count(*)::int from cuarentena.ventas group by 1")


def test_refused_lines_wait_for_what_they_lack(database: Database) -> None:
    """Too many: the month stays as published. Allowed: they are kept. Their product: they leave."""
    before = lines_of_month(database)
    ((orphans,),) = database.query(
        "select count(*)::int from staging.raw_ventas where producto_id = 9999"
    )
    assert orphans > 0

    stopped = run_dbt("run", *SELECTION, database=database, check=False)
    assert stopped.returncode != 0
    assert "fact_ventas_p202503 is not published" in stopped.stdout
    assert f"{orphans} of {before} delivered lines break a rule" in stopped.stdout
    assert "max_refused_share" in stopped.stdout
    assert lines_of_month(database) == before, "yesterday's numbers must stand"
    assert refused(database) == []

    run_dbt("run", *SELECTION, "--vars", "max_refused_share: 1", database=database)
    assert lines_of_month(database) == before - orphans
    assert refused(database) == [(["PRODUCTO_HUERFANO"], orphans)]

    database.query(
        """
        insert into staging.raw_productos
        select
            9999, 'NEW-9999', nombre_producto, marca, categoria, subcategoria, precio_lista,
            costo_unitario, iva_pct, unidad_medida, piezas_por_caja, proveedor,
            date '2000-01-01', null, true, carga_id + 1000, 1
        from staging.raw_productos
        limit 1
        """
    )
    released = run_dbt("run", *SELECTION, database=database)
    assert "fact_ventas: 1 of 60 partitions to build" in released.stdout
    assert lines_of_month(database) == before
    assert refused(database) == []
