"""What exists is read from the catalog: what can be applied is, the rest is told and refused."""

import pytest
from lifecycle.world import World

pytest_plugins = ["lifecycle.fixtures"]

AFTER_AMOUNT = (
    "        data_type: numeric(12, 2)\n        constraints:\n          - type: not_null\n"
)
NOT_NULL = AFTER_AMOUNT + "      - {name: nota, data_type: text, constraints: [{type: not_null}]}\n"
UNIQUE = "      - type: unique\n        columns: [tienda_id, fecha]\n"
WITH_NOTE = "    importe,\n    'x' as nota\n"

# difference: (edits of fact_ventas as (file ending, old, new), what the error says)
DIFFERENCES = {
    "coarser granularity": (
        [("sql", "'month'", "'quarter'")],
        ["fact_ventas_p202401 ends at 2024-02-01: its granularity differs", "retire_relation"],
    ),
    "type": (
        [("yml", "numeric(12, 2)", "numeric(14, 2)")],
        ["column importe has type numeric(12,2), the model wants numeric(14, 2)"],
    ),
    "column gone": (
        [
            ("sql", "    unidades,\n    importe\n", "    unidades\n"),
            ("yml", "      - name: importe\n" + AFTER_AMOUNT, ""),
        ],
        ["column importe is in the table but not in the model"],
    ),
    "new NOT NULL column": (
        [("sql", "    importe\n", WITH_NOTE), ("yml", AFTER_AMOUNT, NOT_NULL)],
        ["column nota is new and NOT NULL: existing rows have no value for it"],
    ),
    "new constraint": (
        [("yml", "    columns:\n", UNIQUE + "    columns:\n")],
        ['constraint fact_ventas_tienda_id_fecha_key is missing: unique ("tienda_id", "fecha")'],
    ),
    "partitioned to plain": (
        [("sql", "materialized='partitioned'", "materialized='upsert'")],
        ["is a partitioned table, the model wants a plain table", "retire_relation"],
    ),
}

LAST_COLUMN = 'numeric(12, 2)"}\n'
NOTE = "      - {name: nota, data_type: text}\n"
RAW_SQL = """\
{{ config(
    materialized='partitioned',
    contract={'enforced': true},
    partition_by={'fields': ['fecha'], 'granularity': 'month'},
) }}

select * from {{ source('origen', 'ventas') }} where {{ pg_lifecycle.partition_filter('fecha') }}
"""
RAW_YML = """\
version: 2
models:
  - name: ventas_crudas
    columns:
      - {name: venta_id, data_type: bigint}
      - {name: fecha, data_type: date}
      - {name: tienda_id, data_type: integer}
      - {name: unidades, data_type: integer}
      - {name: importe, data_type: "numeric(12, 2)"}
"""


def test_a_difference_that_cannot_be_applied_is_told_and_nothing_changes(world: World):
    before, rows = world.identity(), world.row_hashes()
    models = world.project / "models"
    originals = {path: path.read_text() for path in models.glob("fact_ventas.*")}
    world.deliver("2024-04-01")
    for name, (edits, messages) in DIFFERENCES.items():
        for ending, old, new in edits:
            world.edit(f"fact_ventas.{ending}", old, new)
        text = " ".join(world.refuse("run", "--select", "fact_ventas").split())
        for message in messages:
            assert message in text, f"{name}: {message}\n{text}"
        assert world.identity() == before, name
        for path, original in originals.items():
            path.write_text(original)
    assert world.row_hashes()["fact_ventas"] == rows["fact_ventas"]
    assert "1 of 4 partitions to build" in world.dbt("run", "--select", "fact_ventas")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            "create table {} as select * from origen.ventas",
            "is a table, the model wants a partitioned table",
        ),
        (
            "create view {} as select * from origen.ventas",
            "is a view, the model wants a partitioned table",
        ),
        (
            "create table {} (like origen.ventas) partition by range (tienda_id)",
            "it is partitioned by RANGE (tienda_id), the model wants RANGE (fecha)",
        ),
    ],
    ids=["plain table", "view", "other key"],
)
def test_what_somebody_else_made_under_the_name_is_left_alone(
    world: World, made: str, message: str
):
    world.query(made.format("retail.ventas_crudas"))
    world.write("ventas_crudas.sql", RAW_SQL)
    world.write("ventas_crudas.yml", RAW_YML)
    before = world.identity()
    text = " ".join(world.refuse("run", "--select", "ventas_crudas").split())
    assert message in text
    assert "Nothing was changed" in text
    assert world.identity() == before


def test_finer_partitions_that_begin_on_other_days_are_refused(world: World):
    # No week begins on the first of February or March 2024, so no bound of both is equal.
    world.query("delete from origen.versiones where mes = '2024-01-01'")
    world.write("ventas_crudas.sql", RAW_SQL)
    world.write("ventas_crudas.yml", RAW_YML)
    world.dbt("run", "--select", "ventas_crudas")
    before = world.identity()
    world.edit("ventas_crudas.sql", "'month'", "'week'")
    text = " ".join(world.refuse("run", "--select", "ventas_crudas").split())
    assert "overlaps the existing ventas_crudas_p202402: its granularity differs" in text
    assert world.identity() == before


def test_a_new_nullable_column_reaches_every_partition_without_a_rebuild(world: World):
    world.write("ventas_crudas.sql", RAW_SQL)
    world.write("ventas_crudas.yml", RAW_YML)
    world.dbt("run", "--select", "ventas_crudas")
    before, parent = world.files(), world.oid("ventas_crudas")
    world.query("alter table origen.ventas add column nota text")
    world.edit("ventas_crudas.yml", LAST_COLUMN, LAST_COLUMN + NOTE)
    text = world.dbt("run", "--select", "ventas_crudas")
    assert "ventas_crudas: new column nota" in text
    assert "0 of 3 partitions to build" in text
    assert world.files() == before
    assert world.oid("ventas_crudas") == parent
    having = world.value(
        "select count(*) from pg_catalog.pg_attribute"
        " inner join pg_catalog.pg_class on pg_class.oid = attrelid"
        " where attname = 'nota' and relname ~ '^ventas_crudas'"
    )
    assert having == 4
    # A later rebuild fills it.
    world.query("update origen.ventas set nota = 'x'")
    world.touch("2024-02-01")
    world.dbt("run", "--select", "ventas_crudas")
    noted = "select nota, count(*) from retail.ventas_crudas group by 1 order by 1"
    assert world.query(noted) == [("x", 60), (None, 120)]


def test_a_new_column_with_new_sql_is_filled_and_keeps_the_table(world: World):
    parent = world.oid("fact_ventas")
    price = '      - {name: precio, data_type: "numeric(12, 4)"}\n'
    world.edit(
        "fact_ventas.sql", "    importe\n", "    importe,\n    importe / unidades as precio\n"
    )
    world.edit("fact_ventas.yml", AFTER_AMOUNT, AFTER_AMOUNT + price)
    world.dbt("build")
    assert world.oid("fact_ventas") == parent
    right = "select count(*) from retail.fact_ventas where precio = round(importe / unidades, 4)"
    assert world.value(right) == 180


def test_names_of_partitions_mean_nothing(world: World):
    world.query(
        "alter table retail.fact_ventas_p202401 rename to enero;"
        "alter table retail.fact_ventas_p202402 rename to fact_ventas_p202309"
    )
    march = world.row_hashes()["fact_ventas_p202403"]
    for month in ("2024-01-01", "2024-02-01"):
        world.deliver(month, rows=10)
    world.dbt("run")
    assert world.partitions() == {
        f"fact_ventas_p20240{n}": f"FOR VALUES FROM ('2024-0{n}-01') TO ('2024-0{n + 1}-01')"
        for n in (1, 2, 3)
    }
    assert world.value("select count(*) from retail.fact_ventas") == 200
    assert world.value("select sum(ventas) from retail.resumen") == 200
    assert world.row_hashes()["fact_ventas_p202403"] == march
    assert "0 of 3" in world.dbt("run", "--select", "fact_ventas")


def test_a_table_that_only_looks_like_a_partition_is_never_touched(world: World):
    world.query("create table retail.fact_ventas_p202404 as select 'mia' as texto")
    world.deliver("2024-04-01", rows=10)
    before = world.identity()
    text = " ".join(world.refuse("run", "--select", "fact_ventas").split())
    assert "another relation has the name fact_ventas_p202404: rename it" in text
    assert world.identity() == before
    assert world.query("select texto from retail.fact_ventas_p202404") == [("mia",)]
    world.query("alter table retail.fact_ventas_p202404 rename to mia")
    world.dbt("run", "--select", "fact_ventas")
    assert world.value("select count(*) from retail.fact_ventas") == 190
    assert world.query("select texto from retail.mia") == [("mia",)]
