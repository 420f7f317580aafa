"""Views: left alone when unchanged, replaced in place when changed, never dropped when read."""

from lifecycle.world import World

pytest_plugins = ["lifecycle.fixtures"]

SELECT = ("run", "--select", "resumen")


def columns(world: World, view: str) -> list[str]:
    """The names of a view's columns, in order."""
    rows = world.query(
        "select attname::text from pg_catalog.pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 order by attnum",
        f"retail.{view}",
    )
    return [name for (name,) in rows]


def test_a_changed_view_keeps_its_oid_privileges_and_dependants(world: World):
    world.query("create view retail.ajena as select * from retail.resumen")
    world.query("grant select on retail.resumen to auditor")
    oid, dependant = world.oid("resumen"), world.identity()["ajena"]
    changed = "    sum(importe + 1) as importe,\n    1 as uno\n"
    world.edit("resumen.sql", "    sum(importe) as importe\n", changed)
    assert "resumen: view changed" in world.dbt(*SELECT)
    assert world.oid("resumen") == oid
    assert columns(world, "resumen") == ["mes", "ventas", "importe", "uno"]
    assert world.identity()["ajena"] == dependant
    # The config names lector only: what others hold is revoked, as dbt does.
    assert world.readers("resumen") == ["lector"]
    before = world.identity()
    assert "view changed" not in world.dbt(*SELECT)
    assert world.identity() == before


def test_a_column_goes_where_nobody_reads_the_view(world: World):
    world.edit("resumen.sql", "    sum(ventas) as ventas,\n", "")
    world.dbt(*SELECT)
    assert columns(world, "resumen") == ["mes", "importe"]
    assert world.readers("resumen") == ["lector"]


def test_a_column_that_somebody_reads_stays_and_the_readers_are_named(world: World):
    world.query("create view retail.ajena as select * from retail.resumen")
    world.query("create view retail.otra as select * from retail.ajena")
    before = world.identity()
    world.edit("resumen.sql", "    sum(ventas) as ventas,\n", "")
    text = " ".join(world.refuse(*SELECT).split())
    assert "its columns change, and these depend on it: " in text
    assert "ajena" in text
    assert "otra" in text
    assert "Nothing was dropped" in text
    assert world.identity() == before


def test_another_relation_under_the_name_is_left_alone(world: World):
    world.query("drop view retail.resumen; create table retail.resumen as select 1 as n")
    text = " ".join(world.refuse(*SELECT).split())
    assert "the model wants a view" in text
    assert world.query("select n from retail.resumen") == [(1,)]


def test_an_upserted_table_takes_new_columns_and_refuses_lost_ones(world: World):
    oid = world.oid("dim_tienda")
    world.edit("dim_tienda.sql", "    nombre\n", "    nombre,\n    upper(nombre) as rotulo\n")
    path = world.project / "models" / "dim_tienda.yml"
    path.write_text(path.read_text() + "      - {name: rotulo, data_type: text}\n")
    world.dbt("run", "--select", "dim_tienda")
    assert world.oid("dim_tienda") == oid
    assert world.value("select rotulo from retail.dim_tienda where tienda_id = 3") == "TIENDA 3"
    path.write_text(path.read_text().replace("      - {name: rotulo, data_type: text}\n", ""))
    world.edit("dim_tienda.sql", "    nombre,\n    upper(nombre) as rotulo\n", "    nombre\n")
    text = " ".join(world.refuse("run", "--select", "dim_tienda").split())
    assert "column rotulo is in the table but not in the model" in text
    assert columns(world, "dim_tienda") == ["tienda_id", "nombre", "rotulo"]
