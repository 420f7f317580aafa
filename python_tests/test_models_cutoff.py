"""The cut-off date: the last complete day, as a small chain of known stores delivers it.

Rules are asked of the model's compiled SQL on planted rows in temporary tables; that the windows
and the report follow is asked of loads and builds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import Database, create_database, drop_database, run_dbt, run_script
from lifecycle.macros import Refused, load_macros

from retail_platform.postgres.server import LocalServer

STORES = 10
FIRST, LAST = date(2025, 5, 1), date(2025, 6, 10)
SELECTION = ("--select", "+corte", "+mv_product_performance", "estado_publicacion")


def stores(number: int = STORES) -> pl.DataFrame:
    """Stores 1 to ``number``, open for years."""
    return pl.DataFrame(
        [
            {
                "tienda_id": store,
                "codigo_tienda": f"T-{store:02}",
                "nombre_tienda": f"Tienda {store}",
                "cadena": "Supermercado",
                "formato": "Supermercado",
                "region": "Norte",
                "ciudad": "Monterrey",
                "estado": "Nuevo León",
                "superficie_m2": 900,
                "fecha_apertura": date(2020, 1, 1),
                "fecha_cierre": None,
                "fecha_remodelacion": None,
                "activo": True,
            }
            for store in range(1, number + 1)
        ],
        schema_overrides={"fecha_cierre": pl.Date, "fecha_remodelacion": pl.Date},
    )


PRODUCTS = pl.DataFrame(
    {
        "producto_id": [1],
        "sku": ["SKU-1"],
        "nombre_producto": ["Café"],
        "marca": ["Marca"],
        "categoria": ["Abarrotes"],
        "subcategoria": ["Café"],
        "precio_lista": [50.0],
        "costo_unitario": [30.0],
        "iva_pct": [0.0],
        "unidad_medida": ["pieza"],
        "piezas_por_caja": [12],
        "proveedor": ["Proveedor"],
        "fecha_lanzamiento": [date(2020, 1, 1)],
        "fecha_retiro": [None],
        "activo": [True],
    },
    schema_overrides={"fecha_retiro": pl.Date},
)


def sales(days: list[date], who: range) -> pl.DataFrame:
    """One line of one unit for each day and store."""
    return pl.DataFrame(
        [
            {
                "ticket_id": day.toordinal() * 100 + store,
                "linea": 1,
                "fecha_venta": day,
                "hora": "10:00:00",
                "tienda_id": store,
                "producto_id": 1,
                "canal": "tienda",
                "unidades": 1.0,
                "precio_unitario": 50.0,
                "descuento_pct": 0.0,
                "costo_unitario": 30.0,
            }
            for day in days
            for store in who
        ]
    )


@dataclass(frozen=True)
class Chain:
    """The database of the chain, and how it is delivered to.

    Attributes:
        database: Where it is loaded and built.
        folder: For its files.
    """

    database: Database
    folder: Path

    def deliver(self, name: str, rows: pl.DataFrame) -> None:
        """Load a file of sales."""
        rows.write_csv(self.folder / name)
        arguments = ["load.py", "--target", "ci", str(self.folder / name)]
        run_script(*arguments, env=self.database.environment)

    def build(self) -> str:
        """Build what the cut-off date decides."""
        left_out = ("--exclude-resource-type", "test", "unit_test")
        return run_dbt("build", *SELECTION, *left_out, database=self.database).stdout

    def window(self) -> tuple:
        """Cut-off date, what readers are told, and the units of the 30 days up to it."""
        [row] = self.database.query(
            """
            select
                (select fecha_corte from retail.corte),
                (
                    select datos_al from retail.estado_publicacion
                    where relacion = 'mv_product_performance'
                ),
                (select sum(total_unidades_vendidas)::integer from retail.mv_product_performance)
            """
        )
        return row


@pytest.fixture(scope="module")
def chain(
    embedded_server: LocalServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chain]:
    """Ten stores that sold one unit on each of 41 days, loaded and built."""
    made = Chain(create_database(embedded_server), tmp_path_factory.mktemp("cadena"))
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    stores().write_csv(made.folder / "tiendas.csv")
    PRODUCTS.write_csv(made.folder / "productos.csv")
    sales(days, range(1, STORES + 1)).write_csv(made.folder / "ventas_1.csv")
    run_script("load.py", "--target", "ci", str(made.folder), env=made.database.environment)
    made.build()
    yield made
    drop_database(made.database)


@pytest.fixture(scope="module")
def judge(chain: Chain) -> Callable[..., tuple]:
    """A function: the row of ``corte`` for planted sales and stores; nothing is kept.

    Its argument ``sold`` is day -> how many of the stores sold (the first ones), ``sql`` changes
    the table ``tiendas``, ``share`` takes the place of the default.
    """
    run_dbt("compile", "--select", "corte", database=chain.database)
    [path] = (chain.database.folder / "target" / "compiled").rglob("corte.sql")
    schema = f'"{chain.database.parameters["dbname"]}"."retail"'
    model = path.read_text()
    for table, planted in (("agg_ventas_dia_tienda", "ventas_dia"), ("dim_tienda", "tiendas")):
        assert f'{schema}."{table}"' in model
        model = model.replace(f'{schema}."{table}"', f"pg_temp.{planted}")
    assert "0.9 * tiendas_abiertas" in model

    def judge_planted(sold: dict[date, int], sql: str = "", share: str = "0.9") -> tuple:
        with closing(chain.database.connect()) as session, session.cursor() as cursor:
            cursor.execute("create temporary table tiendas as select * from retail.dim_tienda")
            cursor.execute(
                "create temporary table ventas_dia (fecha date, tienda_id integer, lineas integer)"
            )
            for day, number in sold.items():
                cursor.execute(
                    "insert into ventas_dia select %s, n, (n <= %s)::integer"
                    " from generate_series(1, 10) as n",
                    [day, number],
                )
            cursor.execute(sql or "select")
            cursor.execute(model.replace("0.9 * tiendas", f"{share} * tiendas"))
            [row] = cursor.fetchall()
        return row[1:6]

    return judge_planted


def june(day: int) -> date:
    return date(2025, 6, day)


def test_nine_of_ten_open_stores_make_a_day_complete(judge: Callable[..., tuple]) -> None:
    """Cut-off date, last complete day, last day with sales, stores open, stores that reported."""
    full = {june(1): 10, june(2): 10}
    assert judge(full) == (june(2), june(2), june(2), 10, 10)
    assert judge(full | {june(3): 9}) == (june(3), june(3), june(3), 10, 9)
    assert judge(full | {june(3): 8}) == (june(2), june(2), june(3), 10, 8)
    assert judge(full | {june(3): 8, june(4): 10})[0] == june(4)
    assert judge(full | {june(3): 8}, share="0.8")[0] == june(3)
    assert judge(full | {june(3): 9}, share="1")[0] == june(2)
    # A day on which nobody sells is complete for nobody, and holds nothing up.
    assert judge(full | {june(4): 10})[0] == june(4)
    assert judge({}) == (None, None, None, 0, 0)


def test_a_store_without_a_sale_on_a_day_reports_it_by_a_later_one(judge: Callable) -> None:
    few_on_the_first = {june(1): 3, june(2): 9}
    assert judge(few_on_the_first)[0] == june(2)
    assert judge({june(1): 10, june(2): 3, june(3): 8})[0] == june(1)


def test_open_is_what_the_catalogue_says(judge: Callable[..., tuple]) -> None:
    sold = {june(1): 10, june(2): 8}
    close = "update tiendas set fecha_cierre = %r, activo = false where tienda_id > 8"
    assert judge(sold)[0] == june(1)
    # Closed before the day: eight of eight. On its last day a store is still expected.
    assert judge(sold, close % "2025-06-01")[0] == june(2)
    assert judge(sold, close % "2025-06-02")[0] == june(1)
    assert judge(sold, "update tiendas set activo = false where tienda_id > 8")[0] == june(2)
    late = "update tiendas set fecha_apertura = %r where tienda_id > 8"
    assert judge({june(1): 8, june(2): 8}, late % "2025-06-03")[0] == june(2)
    assert judge({june(1): 8, june(2): 8}, late % "2025-06-02")[0] == june(1)
    # In works: from their first day to the day before they are over.
    works = (
        "update tiendas set fecha_inicio_remodelacion = %r, fecha_remodelacion = %r "
        "where tienda_id > 8"
    )
    assert judge(sold, works % ("2025-06-02", "2025-06-03"))[0] == june(2)
    assert judge(sold, works % ("2025-06-03", "2025-07-01"))[0] == june(1)
    assert judge(sold, works % ("2025-05-01", "2025-06-02"))[0] == june(1)
    # Those that sell in spite of them count.
    assert judge(sold | {june(2): 10}, works % ("2025-06-02", "2025-07-01"))[3:] == (10, 10)
    alone = "delete from tiendas where tienda_id > 1"
    assert judge({june(1): 1, june(5): 1}, alone) == (june(5), june(5), june(5), 1, 1)


def test_a_chain_is_not_waited_for_for_ever(judge: Callable[..., tuple]) -> None:
    """Two of ten never report again: 92 days with the old cut-off date, then the last day."""
    silent = {june(1): 10} | {june(1) + timedelta(days=n): 8 for n in range(1, 92)}
    assert judge(silent)[:2] == (june(1), june(1))
    assert judge(silent | {june(1) + timedelta(days=92): 8})[:2] == (
        june(1) + timedelta(days=92),
        None,
    )


def test_a_partial_delivery_moves_no_window_and_is_reported(chain: Chain) -> None:
    assert chain.window() == (LAST, LAST, 300)
    day = LAST + timedelta(days=1)
    chain.deliver("ventas_2.csv", sales([day], range(1, 4)))
    chain.build()
    assert chain.window() == (LAST, LAST, 300)
    report = run_script("load.py", "--target", "ci", "--report", env=chain.database.environment)
    [line] = [text for text in report.stdout.splitlines() if "parcial" in text and str(day) in text]
    assert "T-04, T-05, T-06, T-07, T-08, T-09, T-10" in line and "30.0" in line

    chain.deliver("ventas_3.csv", sales([day], range(4, STORES + 1)))
    chain.build()
    assert chain.window() == (day, day, 300)


VARS = {
    "complete_day_share": 0.9,
    "sample_share": 0.01,
    "max_refused_share": 0.01,
    "cutoff_date": None,
    "years_in_views": 6,
    "calendar_from": "2015-01-01",
    "calendar_to": "2035-12-31",
}
MACROS = ("share_var", "date_var", "refuse_wrong_vars", "cutoff_date")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"complete_day_share": 1, "sample_share": 1, "max_refused_share": 1},
        {"max_refused_share": 0, "years_in_views": 1},
        *({"cutoff_date": day} for day in ("2024-02-29", date(2024, 2, 29))),
    ],
)
def test_a_var_that_can_be_meant_is_taken(given: dict[str, Any]) -> None:
    macros = load_macros(own=MACROS, var=(VARS | given).__getitem__)
    macros.refuse_wrong_vars()
    if "cutoff_date" in given:
        assert macros.cutoff_date() == "date '2024-02-29'"


@pytest.mark.parametrize(
    ("name", "given", "allowed"),
    [
        *(
            ("complete_day_share", bad, "a number above 0 and up to 1, the share")
            for bad in (90, 0, True, "0.9")
        ),
        *(
            ("sample_share", bad, "a number above 0 and up to 1, the share")
            for bad in (0, 1.5, -0.1, None)
        ),
        *(
            ("max_refused_share", bad, "a number from 0 up to 1, the share")
            for bad in (2, -0.01, "all")
        ),
        *(
            ("cutoff_date", bad, "a date, year-month-day (2026-01-31), or null")
            for bad in ("2026-02-30", "31/01/2026", "2026-1-5", 20260131, "", "2026-01-31'; select")
        ),
        *((f"calendar_{end}", "2035", "a date, year-month-day") for end in ("from", "to")),
        *(("years_in_views", bad, "a whole number above 0") for bad in (0, 2.5, -1, "6", None)),
    ],
)
def test_a_var_that_means_nothing_is_refused(name: str, given: object, allowed: str) -> None:
    with pytest.raises(Refused, match=f"var {name}: got '{re.escape(str(given))}', ") as refused:
        load_macros(own=MACROS, var=(VARS | {name: given}).__getitem__).refuse_wrong_vars()
    assert f"allowed: {allowed}" in str(refused.value)


@pytest.mark.parametrize("given", ["complete_day_share: 90", "years_in_views: 0"])
def test_a_run_with_a_wrong_var_builds_nothing(chain: Chain, given: str) -> None:
    refused = run_dbt(
        *("run", "--select", "dim_tienda", "--vars", given), database=chain.database, check=False
    )
    name, _, value = given.partition(": ")
    assert refused.returncode != 0
    assert f"var {name}: got '{value}', allowed: a" in refused.stdout
    assert "dim_tienda" not in refused.stdout
