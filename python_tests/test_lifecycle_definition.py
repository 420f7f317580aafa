"""What a partitioned model must say, and what the database then enforces on every partition."""

from lifecycle.world import World

pytest_plugins = ["lifecycle.fixtures"]

MODEL = """\
{{{{ config(materialized='partitioned'{config}, contract={{'enforced': {contract}}}) }}}}

select venta_id, fecha from {{{{ ref('stg_ventas') }}}} where {filter}
"""
YML = """
  - name: {name}
    constraints:
      - type: primary_key
        columns: [{key}]
    columns:
      - {{name: venta_id, data_type: bigint}}
      - {{name: fecha, data_type: date}}
"""
GOOD = ", partition_by={'fields': ['fecha'], 'granularity': 'month'}"
FILTER = "{{ pg_lifecycle.partition_filter('fecha') }}"

# name: (config, contract, filter, primary key, what the error says)
REFUSED = {
    "sin_clave": ("", True, FILTER, "venta_id, fecha", ["partition_by"]),
    "sin_filtro": (
        GOOD,
        True,
        "true",
        "venta_id, fecha",
        ["no partition_filter", "partition_filter('fecha')"],
    ),
    "sin_contrato": (GOOD, False, FILTER, "venta_id, fecha", ["needs an enforced contract"]),
    "clave_ajena": (GOOD, True, FILTER, "venta_id", ["must include the partition column 'fecha'"]),
    "por_hora": (
        ", partition_by={'fields': ['fecha'], 'granularity': 'hour'}",
        True,
        FILTER,
        "venta_id, fecha",
        ["got 'hour'; allowed: day, week, month, quarter, year"],
    ),
}


def test_every_mistake_in_the_definition_is_named_before_anything_is_made(world: World):
    yml = "version: 2\nmodels:"
    for name, (config, contract, condition, key, _) in REFUSED.items():
        text = MODEL.format(config=config, contract=contract, filter=condition)
        world.write(f"{name}.sql", text)
        yml += YML.format(name=name, key=key)
    world.write("malos.yml", yml)
    before = world.identity()
    text = world.refuse("run", "--select", *REFUSED)
    flat = " ".join(text.split())
    for name, (*_, messages) in REFUSED.items():
        for message in [*messages, name]:
            assert message in flat, f"{name}: {message}\n{text}"
    assert f"ERROR={len(REFUSED)}" in text
    assert world.identity() == before


def test_the_contract_holds_on_the_table_and_on_every_partition(world: World):
    tables = ["fact_ventas", *world.partitions()]
    assert len(tables) == 4
    for table in tables:
        constraints = {
            definition
            for (definition,) in world.query(
                "select replace(pg_get_constraintdef(oid), 'retail.', '')"
                " from pg_catalog.pg_constraint"
                " where conrelid = %s::regclass and convalidated and contype != 'n'",
                f"retail.{table}",
            )
        }
        assert constraints == {
            "PRIMARY KEY (venta_id, fecha)",
            "FOREIGN KEY (tienda_id) REFERENCES dim_tienda(tienda_id)",
            "CHECK ((unidades > 0))",
        }
        columns = world.query(
            "select attname::text, format_type(atttypid, atttypmod), attnotnull"
            " from pg_catalog.pg_attribute where attrelid = %s::regclass and attnum > 0"
            " order by attnum",
            f"retail.{table}",
        )
        assert columns == [
            ("venta_id", "bigint", True),
            ("fecha", "date", True),
            ("tienda_id", "integer", True),
            ("unidades", "integer", True),
            ("importe", "numeric(12,2)", True),
        ]


def test_partitions_lie_where_their_name_says_with_readable_index_names(world: World):
    assert world.partitions() == {
        "fact_ventas_p202401": "FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')",
        "fact_ventas_p202402": "FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')",
        "fact_ventas_p202403": "FOR VALUES FROM ('2024-03-01') TO ('2024-04-01')",
    }
    indexes = world.query(
        "select relname::text from pg_catalog.pg_index"
        " inner join pg_catalog.pg_class on oid = indexrelid"
        " where indrelid = 'retail.fact_ventas_p202402'::regclass order by 1"
    )
    assert [name for (name,) in indexes] == [
        "fact_ventas_p202402_pkey",
        "fact_ventas_p202402_tienda_id_fecha_idx",
    ]
    # Each is part of the parent's index: a query planner and a later ALTER see one index.
    attached = world.value(
        "select count(*) from pg_catalog.pg_inherits"
        " inner join pg_catalog.pg_index on indexrelid = inhrelid"
        " where indrelid = 'retail.fact_ventas_p202402'::regclass"
    )
    assert attached == 2


def test_the_key_is_not_null_even_where_the_contract_forgets_it(world: World):
    world.write(
        "ventas_dia.sql",
        MODEL.format(config=GOOD, contract=True, filter=FILTER),
    )
    world.write(
        "ventas_dia.yml",
        "version: 2\nmodels:"
        + YML.format(name="ventas_dia", key="venta_id, fecha").replace("primary_key", "unique"),
    )
    world.dbt("run", "--select", "ventas_dia")
    nullable = world.query(
        "select relname::text from pg_catalog.pg_attribute"
        " inner join pg_catalog.pg_class on pg_class.oid = attrelid"
        " where attname = 'fecha' and relname ~ '^ventas_dia' and relkind in ('r', 'p')"
        " and not attnotnull"
    )
    assert nullable == []
    assert len(world.partitions("ventas_dia")) == 3


def test_every_granularity_covers_the_month_that_arrived(world: World):
    names = {
        "day": {f"ventas_day_p202401{day:02}" for day in range(1, 32)},
        "week": {f"ventas_week_p2024w{week:02}" for week in range(1, 6)},
        "quarter": {"ventas_quarter_p2024q1"},
        "year": {"ventas_year_p2024"},
    }
    world.query("delete from origen.versiones where mes > '2024-01-01'")
    yml = "version: 2\nmodels:"
    for granularity in names:
        model, config = f"ventas_{granularity}", GOOD.replace("month", granularity)
        world.write(f"{model}.sql", MODEL.format(config=config, contract=True, filter=FILTER))
        yml += YML.format(name=model, key="venta_id, fecha")
        yml += "    data_tests:\n"
        yml += "      - pg_lifecycle.partitions_contiguous\n"
        yml += "      - pg_lifecycle.constraints_enforced\n"
    world.write("ventas.yml", yml)
    models = [f"ventas_{granularity}" for granularity in names]
    world.dbt("build", "--select", *models)
    assert {key: set(world.partitions(f"ventas_{key}")) for key in names} == names
    for model in models:
        # A period that reaches beyond the month holds the neighbour's rows too.
        january = f"select count(*) from retail.{model} where fecha < '2024-02-01'"
        assert world.value(january) == 60
    text = world.dbt("run", "--select", *models)
    for model in models:
        assert f"{model}: 0 of " in text
