"""Materialized views: refreshed when there is a reason, swapped when their SELECT changes."""

from lifecycle.world import World

pytest_plugins = ["lifecycle.fixtures"]

SELECT = ("run", "--select", "mv_ventas_mes")
UNIQUE = "indexes=[{'columns': ['mes', 'tienda_id'], 'unique': true}]"


def indexes(world: World) -> dict[str, str]:
    """The indexes of the view: name -> definition after ON."""
    return {
        name: definition.split(" USING ")[1]
        for name, definition in world.query(
            "select indexname::text, indexdef from pg_catalog.pg_indexes"
            " where schemaname = 'retail' and tablename = 'mv_ventas_mes' order by 1"
        )
    }


def test_reformatted_sql_changes_nothing(world: World):
    before = world.identity()
    world.edit(
        "mv_ventas_mes.sql", "    sum(importe) as importe\n", "  sum(importe)\n as importe --\n"
    )
    world.edit("mv_ventas_mes.sql", "group by 1, 2", "/* y\n z */ group by 1,  2")
    text = world.dbt(*SELECT)
    assert "mv_ventas_mes: up to date" in text
    assert world.identity() == before


def test_a_full_refresh_refreshes_beside_the_readers(world: World):
    oid = world.oid("mv_ventas_mes")
    assert "refresh concurrently" in world.dbt(*SELECT, "--full-refresh")
    assert world.oid("mv_ventas_mes") == oid


def test_indexes_follow_the_config_and_foreign_ones_stay(world: World):
    world.query("create index mia on retail.mv_ventas_mes (importe)")
    oid, files = world.oid("mv_ventas_mes"), world.files()
    unique = ("mv_ventas_mes_mes_tienda_id_key", "btree (mes, tienda_id)")
    mine, extra = ("mia", "btree (importe)"), "mv_ventas_mes_extra_idx"
    steps = {
        "added": (
            UNIQUE[:-1] + ", {'columns': ['ventas desc'], 'include': ['importe'],"
            " 'where': 'ventas > 1', 'name': 'extra_idx'}]",
            [unique, (extra, "btree (ventas DESC) INCLUDE (importe) WHERE (ventas > 1)")],
        ),
        "changed": (
            UNIQUE[:-1] + ", {'columns': ['ventas', 'mes'], 'type': 'brin', 'name': 'extra_idx'}]",
            [unique, (extra, "brin (ventas, mes)")],
        ),
        "other order of columns": (
            UNIQUE[:-1] + ", {'columns': ['mes', 'ventas'], 'type': 'brin', 'name': 'extra_idx'}]",
            [unique, (extra, "brin (mes, ventas)")],
        ),
        "dropped": (UNIQUE, [unique]),
        "unique in another order": (
            "indexes=[{'columns': ['tienda_id', 'mes'], 'unique': true}]",
            [("mv_ventas_mes_tienda_id_mes_key", "btree (tienda_id, mes)")],
        ),
    }
    current = UNIQUE
    for name, (config, wanted) in steps.items():
        world.edit("mv_ventas_mes.sql", current, config)
        current = config
        text = world.dbt(*SELECT)
        assert indexes(world) == dict([mine, *wanted]), name
        assert "up to date" in text, name
        assert world.oid("mv_ventas_mes") == oid
    same = {name for name, file in world.files().items() if files.get(name) == file}
    assert {"mv_ventas_mes", "mia"} <= same


def test_an_index_change_never_leaves_stale_rows(world: World):
    world.edit("mv_ventas_mes.sql", UNIQUE, UNIQUE[:-1] + ", {'columns': ['ventas']}]")
    world.deliver("2024-01-01", rows=5)
    text = world.dbt("run")
    assert "index mv_ventas_mes_ventas_idx: new" in text
    assert "refresh concurrently" in text
    assert world.value("select sum(ventas) from retail.mv_ventas_mes") == 185


def test_a_changed_select_stops_with_the_list_of_those_who_read_it(world: World):
    world.query("create view retail.ajena as select * from retail.resumen")
    before, rows = world.identity(), world.row_hashes()
    world.edit("mv_ventas_mes.sql", "sum(importe)", "max(importe)")
    text = " ".join(world.refuse(*SELECT).split())
    assert "its SQL changed, and these read it: " in text
    assert "resumen" in text
    assert "ajena" in text
    assert "on_dependants: rebuild" in text
    assert world.identity() == before
    assert world.row_hashes() == rows


def test_a_changed_select_is_built_beside_and_swapped_with_all_that_belongs_to_it(world: World):
    world.query(
        """
        create materialized view retail.mv_ajena as select mes, ventas from retail.resumen;
        create unique index mv_ajena_mes on retail.mv_ajena (mes);
        create view retail.ajena as select * from retail.mv_ajena;
        comment on view retail.ajena is 'Nota de un analista';
        comment on column retail.ajena.mes is 'Primer día';
        grant select on retail.ajena to auditor;
        grant select on retail.mv_ajena to public
        """
    )
    oid, structure = world.oid("mv_ventas_mes"), world.structure()
    world.edit("mv_ventas_mes.sql", "indexes=", "on_dependants='rebuild',\n    indexes=")
    world.edit("mv_ventas_mes.sql", "sum(importe)", "max(importe)")
    text = world.dbt("run")
    assert "its SQL changed: built beside and swapped" in text
    assert world.oid("mv_ventas_mes") != oid
    assert world.structure() == structure
    assert world.leftovers() == []
    highest = world.value("select max(importe) from retail.agg_ventas_dia")
    assert world.value("select max(importe) from retail.mv_ventas_mes") == highest
    # 5 stores: what reads it sees the new rows.
    assert world.value("select max(importe) from retail.resumen") <= 5 * highest
    assert world.value("select count(*) from retail.ajena") == 3
    assert "up to date" in world.dbt(*SELECT)


def test_columns_can_change_when_nobody_reads_them(world: World):
    world.query("drop view retail.resumen")
    world.edit("mv_ventas_mes.sql", "    sum(ventas)::bigint as ventas,\n", "    7 as siete,\n")
    world.dbt(*SELECT)
    columns = world.query(
        "select attname::text from pg_catalog.pg_attribute"
        " where attrelid = 'retail.mv_ventas_mes'::regclass and attnum > 0 order by attnum"
    )
    assert [name for (name,) in columns] == ["mes", "tienda_id", "siete", "importe"]
    assert list(indexes(world)) == ["mv_ventas_mes_mes_tienda_id_key"]
    assert world.readers("mv_ventas_mes") == ["lector"]
    described = "select col_description('retail.mv_ventas_mes'::regclass, 1)"
    assert world.value(described) == "First day of the month."


def test_a_refresh_that_readers_wait_for_warns(world: World):
    configs = {
        "mv_sin_indice": "indexes=[]",
        "mv_parcial": UNIQUE.replace("true}", "true, 'where': 'ventas > 0'}"),
        "mv_repetible": UNIQUE.replace(", 'unique': true", ""),
        "mv_expresion": UNIQUE.replace("'tienda_id'", "'abs(tienda_id)'"),
    }
    text = (world.project / "models" / "mv_ventas_mes.sql").read_text()
    for name, config in configs.items():
        world.write(f"{name}.sql", text.replace(UNIQUE, config))
    world.dbt("run", "--select", *configs)
    world.deliver("2024-01-01", rows=5)
    warnings = " ".join(world.dbt("run").split())
    for name in configs:
        reason = "it has no unique btree index on plain columns without WHERE"
        assert (
            f'"{name}" is refreshed with a lock that readers wait for, because {reason}' in warnings
        )
        assert world.value(f"select sum(ventas) from retail.{name}") == 185


def test_an_unpopulated_view_is_filled_with_a_warning(world: World):
    world.query("refresh materialized view retail.mv_ventas_mes with no data")
    text = " ".join(world.dbt(*SELECT).split())
    assert "it holds no data yet" in text
    assert world.value("select sum(ventas) from retail.mv_ventas_mes") == 180
    assert "up to date" in world.dbt(*SELECT)


def test_descriptions_change_without_a_refresh(world: World):
    files = world.files()
    world.edit("mv_ventas_mes.yml", "First day of the month.", "El primer día.")
    world.edit("mv_ventas_mes.yml", "Grain: one row", "Grano: one row")
    assert "up to date" in world.dbt(*SELECT)
    view = "'retail.mv_ventas_mes'::regclass"
    assert world.value(f"select col_description({view}, 1)") == "El primer día."
    assert world.value(f"select obj_description({view})").startswith("Grano: one row")
    assert world.files() == files
    assert "up to date" in world.dbt(*SELECT)


def test_another_relation_under_the_name_is_left_alone(world: World):
    world.query("drop view retail.resumen; drop materialized view retail.mv_ventas_mes")
    world.query("create table retail.mv_ventas_mes as select 1 as n")
    text = " ".join(world.refuse(*SELECT).split())
    assert "the model wants a materialized view" in text
    assert world.query("select n from retail.mv_ventas_mes") == [(1,)]
