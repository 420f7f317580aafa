"""A partition is built outside its table and exchanged: who refers to the table never notices."""

import pytest
from lifecycle.world import World

pytest_plugins = ["lifecycle.fixtures"]


# constraint: (what breaks it in February, what the error says, what puts it right)
BREAKS = {
    "check": (
        "update origen.ventas set unidades = -4 where venta_id = %s",
        ["fact_ventas_unidades_check", "-4"],
        "update origen.ventas set unidades = 1 where venta_id = %s",
    ),
    "not null": (
        "update origen.ventas set importe = null where venta_id = %s",
        ["not null (importe)"],
        "update origen.ventas set importe = 5 where venta_id = %s",
    ),
    "unique": (
        "insert into origen.ventas overriding system value"
        " select * from origen.ventas where venta_id = %s",
        ["break fact_ventas_p202402_pkey", "Key (venta_id, fecha)="],
        "delete from origen.ventas where venta_id = %s and ctid ="
        " (select max(ctid) from origen.ventas as otra where otra.venta_id = ventas.venta_id)",
    ),
    "foreign key": (
        "update origen.ventas set tienda_id = 99 where venta_id = %s",
        ["fact_ventas_tienda_id_fkey", "Key (tienda_id)=(99)"],
        "update origen.ventas set tienda_id = 2 where venta_id = %s",
    ),
}


def test_what_refers_to_the_table_survives_every_exchange(world: World):
    world.query(
        """
        create view retail.ajena as
        select tienda_id, sum(importe) as importe from retail.fact_ventas group by tienda_id;
        create materialized view retail.mv_ajena as
        select count(*) as ventas from retail.fact_ventas;
        grant select on retail.ajena, retail.mv_ajena to auditor
        """
    )
    names = ["fact_ventas", "ajena", "mv_ajena", "mv_ventas_mes", "resumen", "dim_tienda"]
    before = {name: world.identity()[name] for name in names}
    oids = [world.oid(name) for name in names]
    structure = world.structure()
    world.dbt("run", "--full-refresh")
    assert [world.oid(name) for name in names] == oids
    assert world.structure() == structure
    assert world.identity()["ajena"] == before["ajena"]
    assert world.identity()["mv_ajena"] == before["mv_ajena"]
    assert world.value("select sum(importe) from retail.ajena") == world.value(
        "select sum(importe) from origen.ventas"
    )


def test_a_partition_that_breaks_a_constraint_is_not_published(world: World):
    venta = world.value("select min(venta_id) from origen.ventas where fecha >= '2024-02-01'")
    world.deliver("2024-01-01", rows=1)
    world.deliver("2024-03-01", rows=1)
    world.touch("2024-02-01")
    before, published = world.files(), world.row_hashes()["fact_ventas_p202402"]

    for kind, (damage, messages, repair) in BREAKS.items():
        world.query(damage, venta)
        text = " ".join(world.refuse("run", "--select", "fact_ventas").split())
        for message in ["fact_ventas_p202402 is not published", *messages]:
            assert message in text, f"{kind}: {message} in {text}"
        assert world.rebuilt(before) - {"fact_ventas_p202402__new"} == {"fact_ventas_p202401"}, kind
        assert world.row_hashes()["fact_ventas_p202402"] == published
        world.query(repair, venta)

    # What was finished is kept, the rest is done now, and nothing is left over.
    finished = world.files()
    text = world.dbt("run", "--select", "fact_ventas")
    assert "2 of 3 partitions to build" in text
    assert world.rebuilt(finished) == {"fact_ventas_p202402", "fact_ventas_p202403"}
    assert world.leftovers() == []
    assert world.value("select count(*) from retail.fact_ventas") == 182


def test_a_run_that_fails_stops_what_reads_the_table_and_not_the_rest(world: World):
    world.query("update origen.ventas set unidades = 0 where venta_id = 1")
    world.touch("2024-01-01")
    world.query("update origen.tiendas set nombre = 'Otra' where tienda_id = 1")
    before = world.row_hashes()
    text = world.refuse("run")
    assert "ERROR=1" in text
    assert "SKIP=3" in text
    after = world.row_hashes()
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"dim_tienda"}


def test_a_date_far_outside_makes_no_partition(world: World):
    world.edit(
        "fact_ventas.sql",
        "granularity': 'month'},",
        "granularity': 'month'},\n    partition_window=['2020-01-01', '2030-12-31'],",
    )
    before = world.identity()
    world.deliver("0204-01-01", rows=1)
    world.deliver("2204-01-01", rows=1)
    text = " ".join(world.refuse("run", "--select", "fact_ventas").split())
    assert "2 periods of" in text and "are refused, nothing was built" in text
    assert "outside the expected window 2020-01-01 to 2030-12-31" in text
    assert "0204-01-01" in text
    assert "2204-01-01" in text
    assert world.identity() == before


@pytest.mark.parametrize("granted", [["auditor"], []], ids=["others", "nobody"])
def test_privileges_on_the_table_and_old_and_new_partitions_follow_the_config(
    world: World, granted: list[str]
):
    path = world.project / "dbt_project.yml"
    path.write_text(path.read_text().replace('["lector"]', str(granted).replace("'", '"')))
    world.deliver("2024-04-01")
    world.dbt("run")
    for name in ["fact_ventas", *world.partitions(), "dim_tienda", "mv_ventas_mes", "resumen"]:
        assert world.readers(name) == sorted(granted), name


def test_a_partition_that_its_model_holds_back_is_not_published(world: World):
    world.write_macro(
        "filas_que_faltan",
        "built, lower, upper",
        "select 'faltan filas desde {{ lower }} hasta {{ upper }}' from {{ built }}"
        " having count(*) < 61",
    )
    config = "granularity': 'month'},\n    publish_check='filas_que_faltan',"
    world.edit("fact_ventas.sql", "granularity': 'month'},", config)
    world.deliver("2024-01-01", rows=1)
    world.touch("2024-02-01")
    before, rows = world.files(), world.row_hashes()["fact_ventas_p202402"]
    text = world.refuse("run", "--select", "fact_ventas")
    reason = "faltan filas desde 2024-02-01 hasta 2024-03-01"
    assert f"fact_ventas_p202402 is not published: {reason}" in text
    assert world.rebuilt(before) == {"fact_ventas_p202401"}
    assert world.row_hashes()["fact_ventas_p202402"] == rows
    assert world.leftovers() == []


@pytest.mark.parametrize(
    ("dependant", "object_name"),
    [
        (
            "create table retail.ajena (venta_id bigint, fecha date, constraint ajena_a_ventas"
            " foreign key (venta_id, fecha) references retail.fact_ventas)",
            "constraint ajena_a_ventas on table",
        ),
        ("create view retail.enero as select * from retail.fact_ventas_p202401", "view "),
    ],
    ids=["foreign key to the table", "view on a partition"],
)
def test_what_depends_on_a_partition_is_named_and_never_cut_off(
    world: World, dependant: str, object_name: str
):
    world.query(dependant)
    world.touch("2024-01-01")
    before = world.identity()
    text = " ".join(world.refuse("run", "--select", "fact_ventas").split())
    assert "fact_ventas_p202401: others depend on what is to be replaced: " + object_name in text
    assert "Nothing was changed" in text
    assert "CASCADE" not in text
    now = world.identity()
    assert {name: now[name] for name in before} == before
