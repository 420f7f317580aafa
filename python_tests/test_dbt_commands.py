"""Every command of dbt does what docs/dbt-commands.md says; each row of its table has a test."""

from __future__ import annotations

import ast
import json
import re
import shutil
import uuid
from dataclasses import replace
from pathlib import Path

import click
import pytest
from conftest import PROJECT, Database
from lifecycle.dbt_process import start_dbt
from lifecycle.world import World

pytest_plugins = ["lifecycle.fixtures"]

PAGE = PROJECT / "docs" / "dbt-commands.md"
OPTIONS = ("--empty", "--sample", "--defer", "--full-refresh", "--select state:modified")

# Whatever a command writes in the catalog leaves a trace in one of these.
EVERYTHING = """
select c.oid, c.relname::text, c.relfilenode, c.xmin::text, obj_description(c.oid, 'pg_class'),
    relnamespace::regnamespace::text
from pg_class as c
where relnamespace::regnamespace::text !~ '^pg_(toast|temp|catalog)|information_schema'
order by c.oid
"""


def table() -> list[tuple[str, str]]:
    """(command, test) of each row of the page."""
    found = re.findall(r"^\| `([^`]+)`.*\| `(test_\w+)` \|$", PAGE.read_text(), re.MULTILINE)
    assert found
    return found


def test_every_command_of_dbt_has_a_row_and_every_row_a_test() -> None:
    from dbt.cli.main import cli

    commands = set()
    for name, command in cli.commands.items():
        parts = command.commands if isinstance(command, click.Group) else {"": None}
        commands |= {f"dbt {name} {part}".strip() for part in parts}
    # Other names of the same.
    commands -= {"dbt ls", "dbt source snapshot-freshness"}
    described = [row[0] for row in table()]
    assert commands - {" ".join(row.split()[:3]) for row in described} - set(described) == set()
    assert [option for option in OPTIONS if not any(option in row for row in described)] == []
    tests = {
        node.name
        for path in (PROJECT / "python_tests").glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }
    assert [name for _, name in table() if name not in tests] == []


class Session:
    """Runs dbt on a database and a project, from a process that has imported it already."""

    def __init__(self, database: Database, project: Path, *always: str) -> None:
        """Keep where to run; ``always`` stands on every command line."""
        self.database, self.project, self.always = database, project, always

    def __call__(self, *arguments: str, fails: bool = False, target: str = "target") -> str:
        """Run dbt, check its exit code, and return its output."""
        folder = self.database.folder
        environment = self.database.environment | {
            "DBT_TARGET_PATH": str(folder / target),
            "DBT_LOG_PATH": str(folder / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
        }
        where = ["--project-dir", str(self.project), "--target", "ci"]
        run = start_dbt(
            ["--no-use-colors", "--log-level-file", "none", *arguments, *where, *self.always],
            environment,
            folder / f"dbt-{uuid.uuid4().hex}.txt",
        )
        code, text = run.wait(), run.text()
        assert (code != 0) == fails, f"dbt {' '.join(arguments)}: {code}\n{text}"
        assert "Traceback" not in text
        return text


def test_commands_that_change_nothing(built_database: Database) -> None:
    """In the project itself: what is refused or only reads leaves every relation as it was."""
    dbt = Session(built_database, PROJECT)
    before = built_database.query(EVERYTHING)

    text = dbt("build", "--empty", fails=True)
    assert "ERROR: --empty: " in text
    assert "START sql" not in text, "no model has begun"
    text = dbt("run-operation", "report_partitions", fails=True)
    assert "report_partitions, model: got 'None', allowed are agg_" in text
    assert "> in macro" not in text
    assert "called by" not in text

    state = built_database.folder / "state"
    state.mkdir(exist_ok=True)
    shutil.copy(built_database.folder / "target" / "manifest.json", state)
    assert "No nodes selected" in dbt("ls", "--select", "state:modified", "--state", str(state))
    text = dbt("clone", "--full-refresh", "--select", "ventas", "--state", str(state), fails=True)
    assert "would be a clone of itself" in text

    units = dbt("test", "--select", "test_type:unit")
    assert re.search(r"PASS=\d\d+ WARN=0 ERROR=0", units)
    text = dbt("source", "freshness")  # of the delivery, which was now, with sales of long ago
    assert len(re.findall("PASS freshness of staging", text)) == 4
    assert built_database.query(EVERYTHING) == before


def test_commands_that_only_look(world: World) -> None:
    """In the small project: the same as everywhere, and a sample is not built."""
    dbt = Session(world.database, world.project)
    before = world.identity()
    text = dbt("run", "--sample", "3 days", "--select", "resumen", fails=True)
    assert "ERROR: --sample: " in text
    assert "| venta_id |" in dbt("show", "--select", "fact_ventas", "--limit", "1")
    assert "ciclo.fact_ventas" in dbt("list", "--resource-type", "model")
    assert "true /* partition_filter: fecha */" in dbt("compile", "--select", "fact_ventas")
    assert "All checks passed" in dbt("debug")
    assert world.identity() == before


@pytest.fixture
def sandboxes(world: World) -> World:
    """The small project with this project's names of schemas: a prefix makes a sandbox."""
    shutil.copy(PROJECT / "macros" / "generate_schema_name.sql", world.project / "macros")
    return world


def test_a_sandbox_reads_what_is_published(sandboxes: World) -> None:
    """`clone` makes views on it; `--defer` builds on its rows, period by period."""
    world, state = sandboxes, sandboxes.database.folder / "state"
    published = Session(world.database, world.project)
    published("parse", target="state")
    dev = Session(world.database, world.project, "--vars", "{schema_prefix: dev_}")
    before = world.identity()

    text = dev("build", "--select", "agg_ventas_dia", "--defer", "--state", str(state))
    assert "dev_retail.agg_ventas_dia: 3 of 3 partitions to build" in text
    world.query("update retail.fact_ventas set importe = importe")  # not by a build: no new version
    text = dev("build", "--select", "agg_ventas_dia", "--defer", "--state", str(state))
    assert "dev_retail.agg_ventas_dia: 0 of 3 partitions to build" in text
    assert world.query(
        "select (select count(*) from dev_retail.agg_ventas_dia)"
        " = (select count(*) from retail.agg_ventas_dia)"
    ) == [(True,)]

    dev("clone", "--select", "resumen", "--state", str(state))
    assert world.query("table dev_retail.resumen order by mes") == world.query(
        "table retail.resumen order by mes"
    )
    assert world.identity() == before


def test_retry_goes_on_where_the_run_before_stopped(world: World) -> None:
    dbt = Session(world.database, world.project)
    world.edit("agg_ventas_dia.sql", "count(*) as", "count(*) / (count(*) - count(*)) as")
    assert "division by zero" in dbt("build", fails=True)
    world.edit("agg_ventas_dia.sql", "count(*) / (count(*) - count(*)) as", "count(*) as")
    text = dbt("retry")
    assert "agg_ventas_dia" in text
    assert "mv_ventas_mes" in text, "skipped then, built now"
    assert "fact_ventas:" not in text
    assert "Nothing to do" in dbt("retry")


COLUMN = """\
      - name: precio
        data_type: numeric(14, 2)
"""


@pytest.mark.full
def test_a_column_comes_and_goes_in_place(world: World) -> None:
    """What the recipe in CONTRIBUTING.md says it costs, both ways, and nothing more."""
    fact, tree = world.oid("fact_ventas"), world.oid("agg_ventas_dia")
    sql, yml = (world.project / "models" / f"agg_ventas_dia.{end}" for end in ("sql", "yml"))
    before = sql.read_text(), yml.read_text()
    yml.write_text(before[1] + COLUMN)
    sql.write_text(before[0].replace("as importe\n", "as importe,\n    max(importe) as precio\n"))
    text = world.dbt("build")
    assert "agg_ventas_dia: new column precio" in text
    assert text.count("build, the SQL of the model changed") == 3
    assert "fact_ventas: 0 of 3 partitions to build" in text

    sql.write_text(before[0])
    yml.write_text(before[1])
    untouched = world.identity()
    said = " ".join(world.refuse("build").split())
    command = "dbt run-operation drop_column --args '{model: agg_ventas_dia, column: ..., dry_run"
    assert "column precio is in the table but not in the model" in said
    assert command in said
    drop = {"model": "agg_ventas_dia", "column": "precio"}
    said = world.refuse(
        "run-operation", "drop_column", "--args", json.dumps(drop | {"column": "x"})
    )
    assert "allowed are the columns of" in said
    assert "no longer has: precio" in said
    world.dbt("run-operation", "drop_column", "--args", json.dumps(drop))
    assert world.identity() == untouched
    world.query("create view retail.ajena as select precio from retail.agg_ventas_dia")
    wet = json.dumps(drop | {"dry_run": False})
    assert "ajena" in world.refuse("run-operation", "drop_column", "--args", wet)
    world.query("drop view retail.ajena")
    world.dbt("run-operation", "drop_column", "--args", wet)
    text = world.dbt("build")
    assert text.count("build, the SQL of the model changed") == 3
    assert "fact_ventas: 0 of 3 partitions to build" in text
    assert (world.oid("fact_ventas"), world.oid("agg_ventas_dia")) == (fact, tree)
    assert "agg_ventas_dia: 0 of 3 partitions to build" in world.dbt("build")


@pytest.mark.full
def test_a_model_gets_another_name(world: World) -> None:
    """The recipe in CONTRIBUTING.md: dbt's name alone costs nothing, the relation's a build."""
    rows = world.row_hashes()["resumen"]
    models = world.project / "models"
    for end in ("sql", "yml"):
        (models / f"agg_ventas_dia.{end}").rename(models / f"agg_diario.{end}")
    world.edit("agg_diario.yml", "name: agg_ventas_dia", "name: agg_diario")
    world.edit("agg_diario.sql", "config(", "config(alias='agg_ventas_dia', ")
    world.edit("mv_ventas_mes.sql", "ref('agg_ventas_dia')", "ref('agg_diario')")
    before = world.files()
    assert "agg_ventas_dia: 0 of 3 partitions to build" in world.dbt("build")
    assert world.rebuilt(before) == set()

    world.edit("mv_ventas_mes.sql", "config(", "config(on_dependants='rebuild',")
    retire = json.dumps({"model": "agg_diario", "dry_run": False})
    world.dbt("run-operation", "retire_relation", "--args", retire)
    assert world.row_hashes()["resumen"] == rows, "readers go on reading"
    world.edit("agg_diario.sql", "alias='agg_ventas_dia', ", "")
    world.dbt("build")
    assert set(world.partitions("agg_diario")) == {f"agg_diario_p20240{n}" for n in (1, 2, 3)}
    assert world.row_hashes()["resumen"] == rows
    assert world.value("select to_regclass('retail.agg_ventas_dia') is null")
    assert "agg_diario: 0 of 3 partitions to build" in world.dbt("build")


@pytest.mark.full
def test_clean_and_init_leave_the_project_alone(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(world.project, folder, symlinks=True)
    shutil.copy(world.database.folder / "profiles.yml", folder)
    files = set(folder.rglob("*"))
    # dbt cleans only inside of the project.
    dbt = Session(replace(world.database, folder=folder), folder)
    dbt("parse")
    assert (folder / "target").is_dir()
    dbt("init", "--skip-profile-setup")
    dbt("clean")
    assert set(folder.rglob("*")) >= files
    assert not (folder / "target").exists()
    assert world.value("select count(*) from retail.fact_ventas") == 180
