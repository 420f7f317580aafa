"""Operations: each shows its plan first, does what it showed, and the next build agrees."""

import json
import re
from typing import Any

from lifecycle.world import World

pytest_plugins = ["lifecycle.fixtures"]


def operate(world: World, name: str, **arguments: Any) -> str:
    """Run an operation and return its output."""
    return world.dbt("run-operation", name, "--args", json.dumps(arguments))


def plan_of(text: str) -> list[str]:
    """The lines of a plan, without the time that dbt puts before them."""
    return re.findall(r"^\d\d:\d\d:\d\d    (\S.*)$", text, re.MULTILINE)


def test_premade_partitions_have_everything_and_are_replaced_by_builds(world: World):
    before = world.identity()
    dry = operate(world, "premake_partitions", model="fact_ventas", periods=1)
    assert "dry run" in dry
    assert plan_of(dry)[0] == "make fact_ventas_p202404 for 2024-04-01 to 2024-05-01"
    assert world.identity() == before

    wet = operate(world, "premake_partitions", model="fact_ventas", periods=1, dry_run=False)
    assert plan_of(wet) == plan_of(dry)
    made = world.partitions()
    assert len(made) == 3 + len(plan_of(dry))
    assert made["fact_ventas_p202404"] == "FOR VALUES FROM ('2024-04-01') TO ('2024-05-01')"
    again = operate(world, "premake_partitions", model="fact_ventas", periods=1, dry_run=False)
    assert "nothing to do" in again

    # Its tests say that every partition has the contract and that there is no gap.
    parent = world.oid("fact_ventas")
    world.deliver("2024-05-01", rows=10)
    text = world.dbt("build", "--select", "fact_ventas")
    assert f"fact_ventas: 1 of {len(made)} partitions to build" in text
    assert world.oid("fact_ventas") == parent
    assert world.partitions() == made
    assert world.value("select count(*) from retail.fact_ventas_p202405") == 10
    assert world.readers("fact_ventas_p202411") == ["lector"]


def test_retention_moves_old_partitions_away_and_builds_leave_them_there(world: World):
    january = world.row_hashes()["fact_ventas_p202401"]
    before = world.identity()
    dry = operate(world, "retain_partitions", model="fact_ventas", periods=2)
    assert plan_of(dry) == [
        "fact_ventas_p202401, 2024-01-01 to 2024-02-01: detach into schema archivo"
    ]
    assert world.identity() == before

    for model in ("fact_ventas", "agg_ventas_dia"):
        operate(world, "retain_partitions", model=model, periods=2, dry_run=False)
    assert list(world.partitions()) == ["fact_ventas_p202402", "fact_ventas_p202403"]
    archived = "select md5(string_agg(f::text, '|' order by f::text collate \"C\")) from {} as f"
    assert world.value(archived.format("archivo.fact_ventas_p202401")) == january

    # A late file for what was archived does not bring it back.
    world.deliver("2024-01-01", rows=5)
    world.dbt("build")
    assert list(world.partitions()) == ["fact_ventas_p202402", "fact_ventas_p202403"]
    assert world.value("select sum(ventas) from retail.resumen") == 120
    again = operate(world, "retain_partitions", model="fact_ventas", periods=2, dry_run=False)
    assert "nothing to do" in again


def test_partitions_are_dropped_only_when_told(world: World):
    arguments = {"model": "fact_ventas", "before": "2024-03-01", "drop": True}
    dry = operate(world, "detach_partitions", **arguments)
    assert plan_of(dry) == [
        "fact_ventas_p202401, 2024-01-01 to 2024-02-01: drop",
        "fact_ventas_p202402, 2024-02-01 to 2024-03-01: drop",
    ]
    operate(world, "detach_partitions", **arguments, dry_run=False)
    assert list(world.partitions()) == ["fact_ventas_p202403"]
    assert world.value("select to_regclass('archivo.fact_ventas_p202401') is null")
    assert world.value("select count(*) from retail.fact_ventas") == 60


def test_the_report_shows_each_partition(world: World):
    text = operate(world, "report_partitions", model="fact_ventas")
    assert "3 partitions" in text
    lines = plan_of(text)
    assert len(lines) == 3
    assert re.match(
        r"fact_ventas_p202401  2024-01-01  2024-02-01  60  \d+ kB  \S+  .* tested$", lines[0]
    )


def test_retire_lets_a_change_through_that_cannot_be_made_in_place(world: World):
    rows = world.row_hashes()["fact_ventas"]
    world.query("create view retail.ajena as select * from retail.fact_ventas")
    world.edit("fact_ventas.sql", "'month'", "'quarter'")
    world.refuse("run", "--select", "fact_ventas")
    before = world.identity()
    dry = operate(world, "retire_relation", model="fact_ventas")
    assert "ajena goes on reading it until the next dbt build" in dry
    assert world.identity() == before

    operate(world, "retire_relation", model="fact_ventas", dry_run=False)
    assert world.value("select to_regclass('retail.fact_ventas') is null")
    assert world.value("select count(*) from retail.ajena") == 180
    world.dbt("build")
    assert list(world.partitions()) == ["fact_ventas_p2024q1"]
    assert world.row_hashes()["fact_ventas"] == rows
    assert world.value("select sum(ventas) from retail.resumen") == 180


def test_what_reads_a_retired_relation_is_made_anew_by_the_build(world: World):
    world.edit("mv_ventas_mes.sql", "indexes=", "on_dependants='rebuild',\n    indexes=")
    rows = world.row_hashes()["resumen"]
    operate(world, "retire_relation", model="agg_ventas_dia", dry_run=False)
    assert world.row_hashes()["resumen"] == rows
    world.dbt("build")
    world.deliver("2024-01-01", rows=5)
    world.dbt("run")
    assert world.value("select sum(ventas) from retail.resumen") == 185
    schema = world.value("select nspname from pg_namespace where nspname ~ '^archivo_'")
    # Nothing reads what was retired any more, so its schema can go.
    world.query(f"drop table {schema}.agg_ventas_dia")
