"""The same deliveries in any order, in one build or many, give the same relations to the byte.

A dirty world of two months and its copies in further months, each with keys of its own, each
delivered in an order and in parts of its own: building one judges no month of another one again.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from conftest import PROJECT, Database
from lifecycle.dbt_process import start_dbt
from psycopg2 import sql

from retail_platform.loading import Settings, load_folder
from retail_platform.loading.checks import DateWindow
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import LocalServer

pytestmark = pytest.mark.full  # builds of everything; test_loading_order has the gate's part

COPIES = 20
ROUNDS = 3
NAME = "orden"
FIRST = date(2020, 1, 1)

RELATIONS = """
select n.nspname, c.relname
from pg_class c
inner join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('retail', 'cuarentena') and c.relkind in ('r', 'p', 'v', 'm')
    and not c.relispartition
    -- What tells how it came about: when each was published, what each load brought, each night.
    and c.relname not in ('estado_publicacion', 'entregas', 'corridas')
"""
# A load's number and hour are those of its arrival; what it is otherwise known by is its file.
ROWS = """
select (to_jsonb(r) - 'carga_id' - 'rechazada_en')::text || coalesce(c.archivo, '')
from {} r left join staging.cargas c on c.carga_id = (to_jsonb(r) ->> 'carga_id')::bigint
"""


def csv(header: str, *rows: str) -> str:
    return "\n".join((header, *rows)) + "\n"


def deliveries(copy: int) -> dict[str, str]:
    """Name -> CSV of the files of one copy of the world; dates in names say what corrects what."""
    one = FIRST + timedelta(days=31 * 2 * copy)
    m1 = one.replace(day=1)
    m2 = (m1 + timedelta(days=32)).replace(day=1)
    a, b = f"{m1:%Y-%m}-", f"{m2:%Y-%m}-"
    k = copy * 100

    def name(table: str, day: int) -> str:
        return f"{table}_{m2:%Y%m}{day:02}_{copy:02}.csv"

    def product(number: int, code: object, since: str, until: str = "", price: str = "9.50") -> str:
        what = f"K{k}-{code},N{number},M,Abarrotes,S,{price},5,16,pieza,6,Proveedor"
        return f"{k + number},{what},{since},{until},true"

    def store(number: int, code: object, form: str, since: str, until: str = "") -> str:
        return (
            f"{k + number},T{k}-{code},Tienda {k + number},HyperMarket,{form},Norte,C,E,900,"
            f"{since},{until},,true"
        )

    def sale(ticket: int, line: int, day: str, shop: int, item: int, units: int = 2) -> str:
        ids = f"{k * 1000 + ticket},{line},{day},10:00:00,{k + shop},{k + item}"
        return f"{ids},tienda,{units},9.5,0,5"

    def back(
        number: int, ticket: int, sold: str, day: str, shop: int, item: int, units: int
    ) -> str:
        return (
            f"{k * 1000 + number},{k * 1000 + ticket},1,{sold},{day},{k + shop},{k + item},tienda,"
            f"{units},{units * 9.5},"
        )

    def stock(day: str, shop: int, item: int) -> str:
        return f"{day},{k + shop},{k + item},30,5,0,1,0,4,5"

    products = (
        "producto_id,sku,nombre_producto,marca,categoria,subcategoria,precio_lista,costo_unitario,"
        "iva_pct,unidad_medida,piezas_por_caja,proveedor,fecha_lanzamiento,fecha_retiro,activo"
    )
    stores = (
        "tienda_id,codigo_tienda,nombre_tienda,cadena,formato,region,ciudad,estado,superficie_m2,"
        "fecha_apertura,fecha_cierre,fecha_remodelacion,activo"
    )
    promotions = "promocion_id,producto_id,formato,fecha_inicio,fecha_fin,descuento_pct"
    sales = (
        "ticket_id,linea,fecha_venta,hora,tienda_id,producto_id,canal,unidades,precio_unitario,"
        "descuento_pct,costo_unitario"
    )
    returns = (
        "devolucion_id,ticket_id,linea,fecha_venta,fecha_devolucion,tienda_id,producto_id,canal,"
        "unidades,importe,motivo"
    )
    inventory = (
        "fecha,tienda_id,producto_id,dias_periodo,stock_inicial,entradas,salidas,merma,stock_final,"
        "costo_unitario"
    )
    orders = (
        "pedido_id,tienda_id,producto_id,proveedor,fecha_pedido,fecha_promesa,fecha_entrega,"
        "unidades_pedidas,unidades_recibidas"
    )
    old = "2015-01-01"
    return {
        name("productos", 1): csv(
            products, *(product(n, n, old) for n in range(1, 7)), product(8, 8, b + "10")
        ),
        name("productos", 5): csv(
            products,
            product(1, 1, old, a + "14"),  # retired: sales after that day are forbidden
            product(2, 2, ""),  # without its launch: the last good version stays
            product(3, 4, old),  # exchanged
            product(4, 3, old),
            product(5, 2, old),  # the code of another one
            product(6, 6, old, price="8.50"),
            product(6, 6, old, price="7.50"),  # the same key with other contents
            product(7, 7, old),  # sold before it is known
            product(8, 8, b + "20"),  # launched later than was said
        ),
        name("tiendas", 1): csv(
            stores, *(store(n, n, "Express", old) for n in (1, 2)), store(3, 3, "Express", b + "05")
        ),
        name("tiendas", 6): csv(
            stores,
            store(1, 1, "Hipermecado", old),
            store(2, 2, "Express", old, b + "03"),  # closed
            store(3, 3, "Express", a + "10"),  # open since earlier than was said
            store(4, 4, "Express", old),
            store(5, 4, "Express", old),  # the code of the one before
        ),
        name("promociones", 2): csv(
            promotions,
            f"{k + 1},{k + 1},Express,{a}01,{a}09,10",
            f"{k + 2},{k + 7},Express,{a}01,{a}09,10",
            f"{k + 3},{k + 99},Express,{a}01,{a}09,10",
            f"{k + 4},{k + 1},,{a}01,{a}09,10",
        ),
        name("promociones", 7): csv(
            promotions,
            f"{k + 1},{k + 1},Express,{a}01,{a}09,100",
            f"{k + 2},{k + 2},Express,{a}01,{a}09,20",
        ),
        name("ventas", 3): csv(
            sales,
            *(sale(n, 1, f"{a}{n:02}", 1, 1 + n % 6) for n in range(1, 29)),
            *(sale(100 + n, 1, f"{b}{n:02}", 2 + n % 2, 2 + n % 4) for n in range(1, 29)),
            *(sale(200 + n, 1, f"{a}{n:02}", 3, 7) for n in range(5, 15)),
            *(sale(300 + n, 1, f"{b}{n:02}", 4, 8) for n in range(8, 24, 2)),
            sale(400, 1, a + "20", 1, 99),
            sale(401, 1, a + "20", 5, 98),  # two reasons, of which a catalogue can take one away
            sale(402, 1, a + "20", 1, 2),
            sale(402, 1, a + "20", 1, 3),
            sale(403, 1, a + "21", 1, 2),
            sale(403, 2, a + "21", 2, 2),
            sale(404, 1, a + "16", 2, 1),
        ),
        name("ventas", 8): csv(
            sales,
            sale(2, 1, a + "02", 1, 3, units=1),  # less than came back of it in the other month
            sale(4, 1, a + "04", 2, 5),  # in another store
        ),
        name("ventas", 9): csv(
            sales,
            sale(3, 1, b + "03", 1, 4),  # in the other month
            sale(110, 1, a + "10", 1, 2),
        ),
        name("devoluciones", 4): csv(
            returns,
            back(1, 2, a + "02", b + "02", 1, 3, 2),
            back(2, 3, a + "03", a + "09", 1, 4, 1),
            back(3, 4, a + "04", b + "04", 1, 5, 1),
            back(4, 20, a + "20", b + "09", 1, 3, 1),
            back(5, 19, a + "19", b + "19", 1, 2, 1),
            back(6, 206, a + "06", b + "01", 3, 7, 1),
            back(7, 24, a + "24", a + "25", 1, 1, 1),  # of a sale that the retirement forbids
            back(8, 104, b + "04", b + "06", 2, 2, 1),  # of a store that was closed
            back(9, 999, a + "04", a + "05", 1, 1, 1),
            back(10, 312, b + "12", b + "28", 4, 8, 1),
        ),
        name("inventario", 4): csv(
            inventory,
            *(stock(f"{month}28", s, p) for month in (a, b) for s in (1, 4) for p in (1, 7, 99)),
        ),
        name("pedidos", 4): csv(
            orders,
            *(
                f"{k * 10 + s},{k + s},{k + p},P,{month}10,{month}12,,6,0"
                for month, s in ((a, 1), (b, 4), (b, 5))
                for p in (1, 7, 99)
            ),
        ),
    }


@dataclass(frozen=True)
class Orders:
    """An empty database under one name, so that all of them share one parse of the project."""

    server: LocalServer
    folder: Path
    files: dict[int, list[Path]]

    @property
    def database(self) -> Database:
        """The database as it is now."""
        return Database(self.server.parameters(NAME), self.server, self.folder)

    def start_again(self) -> None:
        """Drop the database and make it anew."""
        with closing(connect(self.server.admin_parameters())) as session:
            session.autocommit = True
            with session.cursor() as cursor:
                cursor.execute(f"drop database if exists {NAME} with (force)")
                owner = sql.Identifier(self.server.parameters()["user"])
                cursor.execute(sql.SQL(f"create database {NAME} owner {{}}").format(owner))

    def deliver(self, files: list[Path]) -> None:
        """Load files by one command."""
        window = DateWindow(date(2015, 1, 1), date(2030, 1, 1))
        settings = Settings(window=window, max_rejected=1, workers=2)
        report = load_folder(files, dict(self.database.parameters), settings)
        assert not report.failed, report.failed

    def build(self) -> str:
        """Everything but tests; as much dirt would stop a real build."""
        variables = {
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
            "RETAIL_THREADS": "2",
        }
        output = self.folder / "dbt.txt"
        output.unlink(missing_ok=True)  # else it holds what the builds before said too
        run = start_dbt(
            [
                *("--no-use-colors", "--no-write-json", "--log-level-file", "none", "build"),
                *("--exclude-resource-type", "test", "unit_test"),
                *("--vars", json.dumps({"max_refused_share": 1})),
                *("--project-dir", str(PROJECT), "--target", "ci"),
            ],
            self.database.environment | variables,
            output,
        )
        code, text = run.wait(), run.text()
        assert code == 0, text[-6000:]
        return text

    def relations(self) -> dict[str, list[str]]:
        """Every relation that is published or in quarantine, with its rows as text."""
        found = {}
        with closing(self.database.connect()) as session, session.cursor() as cursor:
            cursor.execute(RELATIONS)
            for schema, relation in cursor.fetchall():
                cursor.execute(sql.SQL(ROWS).format(sql.Identifier(schema, relation)))
                found[f"{schema}.{relation}"] = sorted(row for (row,) in cursor.fetchall())
        return found


@pytest.fixture(scope="module")
def orders(
    embedded_server: LocalServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orders]:
    folder = tmp_path_factory.mktemp("orden")
    shutil.copy(PROJECT / "profiles.yml.example", folder / "profiles.yml")
    files: dict[int, list[Path]] = {}
    for copy in range(COPIES):
        for name, text in deliveries(copy).items():
            path = folder / name
            path.write_text(text, encoding="utf-8")
            files.setdefault(copy, []).append(path)
    yield Orders(embedded_server, folder, files)


@pytest.fixture(scope="module")
def at_once(orders: Orders) -> dict[str, list[str]]:
    """What one load and one build of everything give."""
    orders.start_again()
    orders.deliver([path for files in orders.files.values() for path in files])
    orders.build()
    return orders.relations()


def test_the_world_is_dirty(at_once: dict[str, list[str]]) -> None:
    """Each quarantine has rows, and each rule of a catalogue is broken."""
    for table in ("productos", "tiendas", "promociones", "ventas", "devoluciones", "inventario"):
        assert len(at_once[f"cuarentena.{table}"]) >= COPIES, table
    text = "".join("".join(at_once[f"cuarentena.{t}"]) for t in ("productos", "tiendas"))
    for reason in ("FALTA_VALOR", "CLAVE_DUPLICADA", "CODIGO_DUPLICADO", "FORMATO_DESCONOCIDO"):
        assert reason in text, reason


# Twenty random deliveries each: four builds of everything.
@pytest.mark.parametrize("seed", range(1, 11))
def test_any_order_and_any_parts_give_the_same(
    orders: Orders, at_once: dict[str, list[str]], seed: int
) -> None:
    """Each copy of the world in an order of its own, its files spread over the builds."""
    chance = random.Random(seed)
    rounds: list[list[Path]] = [[] for _ in range(ROUNDS)]
    for files in orders.files.values():
        for path in files:
            chance.choice(rounds).append(path)
    orders.start_again()
    for files in rounds:
        orders.deliver(files)
        text = orders.build()
    found = orders.relations()
    assert found.keys() == at_once.keys()
    for relation, rows in at_once.items():
        missing, more = set(rows) - set(found[relation]), set(found[relation]) - set(rows)
        assert found[relation] == rows, (relation, sorted(missing)[:5], sorted(more)[:5], text)
    if seed == 1:
        again = orders.build()
        assert "build," not in again and "refresh concurrently" not in again, again
