"""Rows of the catalogues that break a rule: kept with reasons, the last good version published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from conftest import Database, run_dbt, run_script

from retail_platform.postgres.server import LocalServer
from retail_platform.runs import Outcome

ALLOW = ("--vars", "max_refused_share: 1")
# The facts that a catalogue judges, with what they read and what is read of them to judge again.
JUDGED = (
    "--select",
    "+fact_devoluciones",
    "+cuarentena_ventas",
    "agg_ventas_mes_tienda_producto",
)

# Each on a product, store or promotion of its own: what is delivered, and why it is refused. The
# gate refuses what no catalogue can mean, dbt what the dimensions do not take.
PRODUCTS = {
    "sku of another": ({"sku": "@1"}, "CODIGO_DUPLICADO"),
    "no launch": ({"fecha_lanzamiento": ""}, "FALTA_VALOR"),
    "retired before its launch": ({"fecha_retiro": "1900-01-01"}, "file FECHAS_INCOHERENTES"),
    "negative price": ({"precio_lista": "-1"}, "file VALOR_NEGATIVO"),
    "negative cost": ({"costo_unitario": "-0.01"}, "file VALOR_NEGATIVO"),
    "tax above 100": ({"iva_pct": "100.01"}, "file FUERA_DE_RANGO"),
    "no sku": ({"sku": " "}, "file FALTA_VALOR"),
    "no name": ({"nombre_producto": ""}, "file FALTA_VALOR"),
    "neither active nor not": ({"activo": "quizá"}, "file NO_PARSEA_BOOLEANO"),
    "a price that is none": ({"precio_lista": "gratis"}, "file NO_PARSEA_NUMERO"),
    "a launch that is none": ({"fecha_lanzamiento": "2024-02-30"}, "file NO_PARSEA_FECHA"),
}
STORES = {
    "a format mistyped": ({"formato": "Hipermecado"}, "FORMATO_DESCONOCIDO"),
    "a format in capitals": ({"formato": "EXPRESS"}, "FORMATO_DESCONOCIDO"),
    "closed before its opening": ({"fecha_cierre": "1900-01-01"}, "file FECHAS_INCOHERENTES"),
}
PROMOTIONS = {
    "no format": ({"formato": ""}, "FALTA_VALOR"),
    "a format mistyped": ({"formato": "Super"}, "FORMATO_DESCONOCIDO"),
    "for nothing": ({"descuento_pct": "100"}, "DESCUENTO_INVALIDO"),
    "no discount": ({"descuento_pct": "0"}, "DESCUENTO_INVALIDO"),
    "of no product": ({"producto_id": "9999"}, "PRODUCTO_HUERFANO"),
    "ends before it begins": ({"fecha_fin": "1900-01-01"}, "file FECHAS_INCOHERENTES"),
}
CATALOGUES = {
    "productos": ("dim_producto", "producto_id", PRODUCTS),
    "tiendas": ("dim_tienda", "tienda_id", STORES),
    "promociones": ("dim_promocion", "promocion_id", PROMOTIONS),
}


def rows_of(data: Path, catalogue: str) -> pl.DataFrame:
    """A catalogue of the simulator as text."""
    return pl.read_parquet(data / f"{catalogue}.parquet").select(pl.all().cast(pl.String))


def deliver(folder: Path, name: str, rows: list[dict[str, str]], database: Database) -> None:
    """Load rows as a CSV file."""
    path = folder / name
    pl.DataFrame(rows, infer_schema_length=None).write_csv(path, null_value="")
    run_script(
        *["load.py", "--target", "ci", "--max-rejected", "1", str(path)], env=database.environment
    )


@pytest.fixture
def database(
    embedded_server: LocalServer, built_database: Database, new_database: Callable[..., Database]
) -> Database:
    """A built database of the test's own."""
    return new_database(embedded_server, built_database)


def test_every_rule_of_a_catalogue_holds_one_row_and_not_the_night(
    database: Database, generated_data: Path, tmp_path: Path
) -> None:
    expected = {}
    before = {}
    for catalogue, (dimension, key, cases) in CATALOGUES.items():
        before[dimension] = database.query(f"select * from retail.{dimension} order by 1")
        good = rows_of(generated_data, catalogue).to_dicts()
        bad = []
        for row, (name, (changes, reason)) in zip(good[5:], cases.items(), strict=False):
            changes = {
                column: str(good[int(value[1:])][column]) if value.startswith("@") else value
                for column, value in changes.items()
            }
            bad.append(row | changes)
            expected[catalogue, int(row[key])] = reason
            assert name
        assert len(bad) == len(cases), "enough rows to break"
        twice = good[0] | {"nombre_producto": "Otro"} if catalogue == "productos" else None
        if twice:
            expected[catalogue, int(twice[key])] = "CLAVE_DUPLICADA"
        deliver(
            tmp_path, f"{catalogue}.csv", [*good[:5], *bad, *([twice] if twice else [])], database
        )
    # Good news in the same night: a product nobody knew, with its sale.
    new = rows_of(generated_data, "productos").to_dicts()[0] | {
        "producto_id": "9001",
        "sku": "NEW-1",
        "fecha_lanzamiento": "2020-01-01",
    }
    deliver(tmp_path, "productos_2.csv", [new], database)
    sale = pl.read_parquet(sorted((generated_data / "ventas").iterdir())[-1]).head(1)
    sale = sale.select(pl.all().cast(pl.String)).to_dicts()[0]
    deliver(tmp_path, "ventas_x.csv", [sale | {"ticket_id": "77", "producto_id": "9001"}], database)

    built = run_dbt("build", "--exclude-resource-type", "unit_test", database=database)
    assert "Warning in test assert_no_catalogue_row_is_refused" in built.stdout
    found = {}
    for catalogue, (_, key, _) in CATALOGUES.items():
        found |= {
            (catalogue, number): ",".join(reasons)
            for number, reasons in database.query(
                f"select {key}, motivos from cuarentena.{catalogue}"
            )
        }
    by_dbt = {place: reason for place, reason in expected.items() if "file " not in reason}
    assert found == by_dbt
    by_gate = sorted(reason[5:] for reason in expected.values() if reason.startswith("file "))
    assert (
        sorted(
            reason
            for (reason,) in database.query(
                "select motivo from cuarentena.filas_archivo where archivo like '%.csv'"
            )
        )
        == by_gate
    )
    for dimension, rows in before.items():
        now = database.query(f"select * from retail.{dimension} order by 1")
        assert [row for row in now if row[0] != 9001] == rows, "the last good versions"
    assert database.query("select producto_id from retail.fact_ventas where ticket_id = 77") == [
        (9001,)
    ]

    report = run_script(
        *["load.py", "--report", "--target", "ci"], env=database.environment, check=False
    )
    assert report.returncode == 3, report.stdout
    assert "Catalogue rows refused" in report.stdout
    assert "its last good version" in report.stdout
    page = tmp_path / "report.html"
    daily = run_script(
        *["daily.py", "--target", "ci", "--html", str(page), "--attempts", "1"],
        env=database.environment
        | {
            "DBT_TARGET_PATH": str(database.folder / "target"),
            "DBT_LOG_PATH": str(database.folder / "logs"),
        },
        check=False,
    )
    assert daily.returncode in (Outcome.CATALOGUE_REFUSED, Outcome.STALE), daily.stderr
    assert "Catalogue rows refused" in page.read_text(encoding="utf-8")

    # Corrected, they leave; two codes exchanged on the way.
    good = rows_of(generated_data, "productos").to_dicts()
    good[0]["sku"], good[1]["sku"] = good[1]["sku"], good[0]["sku"]
    deliver(tmp_path, "productos_3.csv", good, database)
    run_dbt("run", "--select", "dim_producto", "cuarentena_productos", database=database)
    assert database.query("select count(*) from cuarentena.productos") == [(0,)]
    published = dict(database.query("select producto_id, sku from retail.dim_producto"))
    assert published == {int(r["producto_id"]): r["sku"] for r in good} | {9001: "NEW-1"}


def test_a_closing_and_a_retirement_reach_the_sales_that_they_forbid(
    database: Database, generated_data: Path, tmp_path: Path
) -> None:
    """Only the months after them are judged again; taken back, the sales are published again."""
    store = database.query(
        "select tienda_id from retail.fact_ventas where fecha_venta >= '2025-11-10' limit 1"
    )[0][0]
    # Retired at the end of November, it comes back in December: no sale that the catalogue forbids.
    product = database.query(
        "select producto_id from retail.fact_devoluciones where tienda_id <> %s "
        "and fecha_devolucion >= '2025-12-01' and fecha_venta < '2025-12-01' "
        "and producto_id in (select producto_id from retail.fact_ventas "
        "where fecha_venta >= '2025-12-01') order by 1 limit 1",
        store,
    )[0][0]
    life = """
        select count(*) from retail.fact_ventas
        where tienda_id = %s and fecha_venta > '2025-11-09'
            or producto_id = %s and fecha_venta > '2025-11-30'
    """
    total = database.query("select count(*) from retail.fact_ventas")
    ((forbidden,),) = database.query(life, store, product)
    assert forbidden
    for catalogue, number, column, day in (
        ("tiendas", store, "fecha_cierre", "2025-11-09"),
        ("productos", product, "fecha_retiro", "2025-11-30"),
    ):
        rows = rows_of(generated_data, catalogue).filter(pl.nth(0) == str(number)).to_dicts()
        deliver(tmp_path, f"{catalogue}_c.csv", [rows[0] | {column: day}], database)
    text = run_dbt("run", *ALLOW, *JUDGED, database=database).stdout
    assert "fact_ventas: 2 of 60 partitions to build" in text
    assert database.query(life, store, product) == [(0,)]
    assert database.query(
        "select count(*) from cuarentena.ventas where motivos && "
        "array['FUERA_DE_VIDA_DE_TIENDA', 'FUERA_DE_VIDA_DE_PRODUCTO']"
    ) == [(forbidden,)]
    assert database.query(
        "select count(*) from retail.fact_devoluciones d where not exists ("
        "select from retail.fact_ventas v where v.ticket_id = d.ticket_id and v.linea = d.linea)"
    ) == [(0,)], "returns follow their sales"
    again = run_dbt("run", *ALLOW, *JUDGED, database=database).stdout
    assert "build," not in again and "refresh concurrently" not in again
    other = rows_of(generated_data, "productos").filter(pl.nth(0) != str(product)).to_dicts()[0]
    deliver(tmp_path, "productos_p.csv", [other | {"precio_lista": "77.00"}], database)
    priced = run_dbt("run", *ALLOW, *JUDGED, database=database).stdout
    assert "fact_ventas: 0 of 60 partitions to build" in priced, "a price forbids no sale"
    for catalogue, number in (("tiendas", store), ("productos", product)):
        rows = rows_of(generated_data, catalogue).filter(pl.nth(0) == str(number)).to_dicts()
        deliver(tmp_path, f"{catalogue}_d.csv", rows, database)
    run_dbt("run", *ALLOW, *JUDGED, database=database)
    assert database.query("select count(*) from retail.fact_ventas") == total
    assert database.query("select count(*) from cuarentena.ventas") == [(0,)]
