"""Tables merged in place: values of a unique key that rows exchange, and rows that are gone."""

import pytest
from lifecycle.readers import readers
from lifecycle.world import World

pytest_plugins = ["lifecycle.fixtures"]

CODES = "select tienda_id, codigo, rotulo from retail.dim_tienda order by 1"
INDEXED = "config(materialized='upsert', indexes=[{'columns': ['rotulo'], 'unique': true}])"
CONSTRAINT = "      - type: unique\n        columns: [codigo]\n"


@pytest.fixture
def coded(world: World) -> World:
    """Stores with a code and a label, unique by a constraint and an index, that sales refer to."""
    world.query("alter table origen.tiendas add codigo text, add rotulo text")
    world.query("update origen.tiendas set codigo = 'T' || tienda_id, rotulo = 'R' || tienda_id")
    world.edit("dim_tienda.sql", "    nombre\n", "    nombre,\n    codigo,\n    rotulo\n")
    world.edit("dim_tienda.sql", "config(materialized='upsert')", INDEXED)
    path = world.project / "models" / "dim_tienda.yml"
    text = path.read_text().replace("    columns:\n", CONSTRAINT + "    columns:\n", 1)
    columns = "".join(f"      - {{name: {c}, data_type: text}}\n" for c in ("codigo", "rotulo"))
    path.write_text(text + columns)
    world.query("alter table retail.dim_tienda add codigo text")
    world.query(
        "alter table retail.dim_tienda add constraint dim_tienda_codigo_key unique (codigo)"
    )
    world.dbt("run", "--select", "dim_tienda")
    return world


def test_rows_may_exchange_the_values_of_a_unique_key(coded: World):
    fact = "select count(*) from retail.fact_ventas"
    sales = coded.value(fact)
    assert sales and coded.value(
        "select count(*) from pg_constraint where confrelid = 'retail.dim_tienda'::regclass"
    ), "foreign keys refer to the rows that change"
    queries = {"codes": CODES, "stores": "select count(*) from retail.dim_tienda"}
    with readers(coded, queries) as seen:
        # A cycle of three, and one whose code another one takes over as it gets a new one.
        coded.query(
            "update origen.tiendas set codigo = case tienda_id "
            "when 1 then 'T2' when 2 then 'T3' when 3 then 'T1' when 4 then 'T9' else 'T4' end, "
            "rotulo = case tienda_id when 1 then 'R4' when 4 then 'R1' else rotulo end"
        )
        coded.query("insert into origen.tiendas values (6, 'Tienda 6', 'T5', 'R6')")
        coded.dbt("run", "--select", "dim_tienda")
    assert coded.query(CODES) == [
        *((1, "T2", "R4"), (2, "T3", "R2"), (3, "T1", "R3")),
        *((4, "T9", "R1"), (5, "T4", "R5"), (6, "T5", "R6")),
    ]
    assert seen.errors == []
    assert seen.answers["stores"] == {((5,),), ((6,),)}
    assert len(seen.answers["codes"]) == 2, "the old codes or the new ones, never a mixture"
    assert coded.value(fact) == sales

    before = coded.query(CODES)
    coded.query("update origen.tiendas set codigo = 'T3' where tienda_id = 1")
    text = coded.refuse("run", "--select", "dim_tienda")
    assert "duplicate key value violates unique constraint" in text, "a real duplicate"
    assert coded.query(CODES) == before

    coded.query(
        "create table retail.ajena (tienda_id integer references retail.dim_tienda "
        "on delete cascade); insert into retail.ajena values (1)"
    )
    coded.query(
        "update origen.tiendas set codigo = case tienda_id when 1 then 'T3' else 'T2' end "
        "where tienda_id <= 2"
    )
    assert "violates unique" in coded.refuse("run", "--select", "dim_tienda")
    assert coded.query("select tienda_id from retail.ajena") == [(1,)], "nothing cascaded"


def test_rows_that_are_gone_stay_unless_the_model_says_otherwise(world: World):
    world.query("insert into origen.tiendas values (8, 'Tienda 8')")
    world.dbt("run", "--select", "dim_tienda")
    world.query("delete from origen.tiendas where tienda_id = 8")
    world.dbt("run", "--select", "dim_tienda")
    assert world.value("select count(*) from retail.dim_tienda") == 6
    world.edit("dim_tienda.sql", "'upsert'", "'upsert', delete_missing=true")
    state = "select obj_description('retail.dim_tienda'::regclass)"
    kept = world.value(state)
    world.dbt("run", "--select", "dim_tienda")
    assert world.value("select max(tienda_id) from retail.dim_tienda") == 5
    changed = world.value(state)
    assert changed != kept, "who reads it sees that it changed"
    world.dbt("run", "--select", "dim_tienda")
    assert world.value(state) == changed
