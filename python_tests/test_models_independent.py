"""The built marts against an independent engine: DuckDB over the simulator's Parquet files.

DuckDB shares nothing with the project's SQL but the arithmetic of a line, written here anew.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import parity
import pytest
from conftest import Database

# The amount of a line in cents, exactly: DuckDB turns a product of decimals divided by 100 into a
# float, so everything is counted in integers (thousandths x cents x hundredths of a percent).
AMOUNT = """
    (cast(unidades * 1000 as hugeint) * cast(precio_unitario * 100 as hugeint)
        * (10000 - cast(descuento_pct * 100 as hugeint)) + 5000000) // 10000000
"""


@pytest.fixture(scope="module")
def files(generated_data: Path) -> duckdb.DuckDBPyConnection:
    """The delivered files as DuckDB views, a sale line with its amount in cents."""
    session = duckdb.connect()
    session.execute(
        f"""
        create view ventas as
            select *, {AMOUNT} as centavos from '{generated_data}/ventas/*.parquet';
        create view tiendas as from '{generated_data}/tiendas.parquet';
        create view productos as from '{generated_data}/productos.parquet';
        create view inventario as from '{generated_data}/inventario/*.parquet';
        create view devoluciones as from '{generated_data}/devoluciones/*.parquet';
        create view pedidos as from '{generated_data}/pedidos/*.parquet';
        """
    )
    return session


@pytest.fixture(scope="module")
def cutoff(files: duckdb.DuckDBPyConnection) -> date:
    """The last complete day: nine of ten open stores sent sales of it or of a later day."""
    stores = files.execute(
        """
        select fecha_apertura, coalesce(fecha_cierre, date '9999-12-31'),
            coalesce(max(fecha_venta), date '0001-01-01')
        from tiendas left join ventas using (tienda_id)
        group by tienda_id, fecha_apertura, fecha_cierre
        """
    ).fetchall()
    for (day,) in files.execute(
        "select distinct fecha_venta from ventas order by 1 desc limit 92"
    ).fetchall():
        reported = [last >= day for opened, closed, last in stores if opened <= day <= closed]
        if sum(reported) * 10 >= len(reported) * 9:
            return day
    raise AssertionError("no day of the files is complete")


def monthly(session: duckdb.DuckDBPyConnection, *keys: str) -> list[tuple]:
    """Month, keys, sales, tickets and units of the delivered sale lines, in order."""
    columns = ", ".join(keys)
    return session.execute(
        f"""
        select
            strftime(fecha_venta, '%Y-%m') as mes, {columns},
            cast(sum(centavos) as decimal(18, 0)) / 100 as total_ventas,
            count(distinct ticket_id) as numero_tickets,
            cast(sum(unidades) as decimal(18, 3)) as unidades
        from ventas join tiendas using (tienda_id)
        group by all order by all
        """
    ).fetchall()


def in_order(rows: list[tuple]) -> list[tuple]:
    """Rows with exact numbers, in the order that both engines are compared in."""
    return sorted(
        tuple(Decimal(str(v)) if isinstance(v, float) else v for v in row) for row in rows
    )


@pytest.mark.parametrize(
    ("view", "keys"),
    [
        ("mv_daily_sales_summary", ("cadena",)),
        ("mv_daily_store_sales", ("region",)),
        ("mv_daily_store_sales", ("formato",)),
        ("mv_daily_store_sales", ("cadena", "region", "formato")),
        ("mv_ticket_formato", ("formato",)),
        ("mv_ticket_formato", ("formato", "canal")),
    ],
)
def test_views_hold_what_was_delivered(
    built_database: Database,
    files: duckdb.DuckDBPyConnection,
    view: str,
    keys: tuple[str, ...],
) -> None:
    """Sales to the cent, tickets and units per month and chain, region, format and channel."""
    stores = "join retail.dim_tienda using (tienda_id)" if view == "mv_daily_store_sales" else ""
    rows = built_database.query(
        f"""
        select
            to_char(fecha, 'YYYY-MM'), {", ".join(keys)},
            sum(total_ventas), sum(numero_tickets)::bigint, sum(unidades)
        from retail.{view} {stores}
        group by {", ".join(str(i + 1) for i in range(len(keys) + 1))}
        """
    )
    assert rows
    assert in_order(rows) == in_order(monthly(files, *keys))


def test_the_cut_off_date_is_the_last_complete_day(built_database: Database, cutoff: date) -> None:
    assert built_database.query("select fecha_corte from retail.corte") == [(cutoff,)]


@pytest.fixture(scope="module")
def counted(generated_data: Path) -> duckdb.DuckDBPyConnection:
    """The delivered files, counted by the independent engine."""
    return parity.open_files(generated_data)


# No store of the small world is new: test_marts_decisions.py makes some.
@pytest.mark.parametrize("relation", sorted(set(parity.EXPECTED) - {"mv_aperturas"}))
def test_every_cell_is_what_was_delivered(
    built_database: Database, counted: duckdb.DuckDBPyConnection, relation: str
) -> None:
    rows, found = parity.differences(built_database, counted, relation, parity.EXPECTED[relation])
    assert rows
    assert not found


@pytest.mark.full
def test_every_cell_at_full_scale(full_database: Database, full_data: Path) -> None:
    session = parity.open_files(full_data)
    for relation, expected in parity.EXPECTED.items():
        rows, found = parity.differences(full_database, session, relation, expected)
        assert rows, relation
        assert not found, relation


def test_facts_hold_what_was_delivered(
    built_database: Database, files: duckdb.DuckDBPyConnection
) -> None:
    """Rows and sums per month of each fact; nothing is in quarantine, the data are clean."""
    for fact, day, source, measure in [
        ("fact_ventas", "fecha_venta", "ventas", "costo_unitario"),
        ("fact_inventario", "fecha", "inventario", "stock_final"),
        ("fact_devoluciones", "fecha_devolucion", "devoluciones", "importe"),
        ("fact_pedidos", "fecha_pedido", "pedidos", "unidades_recibidas"),
    ]:
        expected = files.execute(
            f"""
            select strftime({day}, '%Y-%m'), count(*), cast(sum({measure}) as decimal(18, 3))
            from {source} group by all
            """
        ).fetchall()
        rows = built_database.query(
            f"""
            select to_char({day}, 'YYYY-MM'), count(*), sum({measure})
            from retail.{fact} group by 1
            """
        )
        assert rows, fact
        assert in_order(rows) == in_order(expected), fact
    assert built_database.query("select count(*) from cuarentena.ventas") == [(0,)]
