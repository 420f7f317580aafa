"""The whole platform on a Citus cluster: same files, same answers, and workers that work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from citus_cluster import create_database, placements
from comparing import assert_same_rows
from conftest import END_DATE, PROJECT, SEED, Database, drop_database, run_dbt, run_script
from conftest import create_database as create_plain_database
from test_models_order import RELATIONS

from retail_platform.loading.tables import RAW_TABLES
from retail_platform.postgres.cluster import Cluster
from retail_platform.postgres.server import LocalServer

pytest_plugins = ["citus_fixtures"]
pytestmark = pytest.mark.citus

FACTS = ("ventas", "inventario", "devoluciones", "pedidos")
NOT_BUILT = re.compile(r"(\S+): (\d+) of (\d+) partitions to build")

# Equal where the same rows are there, however often each, in whatever order.
ROWS = """
select count(*), sum(hashtextextended(r::text, 0)::numeric) from (select {} from {}) as r
"""
# Loads that run side by side take their numbers, and their hour, as they come.
COLUMNS = """
select string_agg(quote_ident(attname), ', ' order by attnum)
from pg_attribute
where attrelid = '{}'::regclass and attnum > 0 and not attisdropped
    and attname not in ('carga_id', 'rechazada_en')
"""


@dataclass(frozen=True)
class Pair:
    """The same deliveries, loaded and built on a cluster and on plain PostgreSQL.

    Attributes:
        citus: On the cluster.
        plain: On one server.
        files: The simulator's files, of a dirty year.
        text: What dbt wrote of the last build on the cluster.
    """

    citus: Database
    plain: Database
    files: Path
    text: dict[str, str]

    def load(self, folder: Path) -> None:
        """Load a folder into both."""
        for database in (self.citus, self.plain):
            run_script("load.py", "--target", "ci", str(folder), env=database.environment)

    def build(self) -> None:
        """Build both; every model, seed and test must end alike."""
        outcomes = []
        for database in (self.citus, self.plain):
            result = run_dbt("build", database=database, check=False)
            self.text["citus" if database is self.citus else "plain"] = result.stdout
            results = json.loads((database.folder / "target" / "run_results.json").read_text())
            outcomes.append({one["unique_id"]: one["status"] for one in results["results"]})
        assert outcomes[0] == outcomes[1], self.text["citus"][-6000:]
        wrong = {
            name
            for name, status in outcomes[0].items()
            if status == "error" or (name.startswith("model.") and status != "success")
        }
        assert wrong == set(), self.text["citus"][-6000:]

    def differences(self) -> list[str]:
        """Relations that do not hold the same rows."""
        citus, plain = (
            sorted(".".join(name) for name in one.query(RELATIONS))
            for one in (self.citus, self.plain)
        )
        assert citus == plain and len(citus) > 50
        found = []
        for name in citus:
            [[columns]] = self.plain.query(COLUMNS.format(name))
            found += self._difference(name, columns)
        for table in RAW_TABLES.values():
            found += self._difference(f"staging.{table.name}", ", ".join(table.column_names))
        return found

    def _difference(self, name: str, columns: str) -> list[str]:
        query = ROWS.format(columns, name)
        rows = [one.query(query) for one in (self.citus, self.plain)]
        return [] if rows[0] == rows[1] else [f"{name}: {rows}"]

    def to_build(self) -> dict[str, int]:
        """Partitions that the last build on the cluster made, by table, where there were any."""
        found = NOT_BUILT.findall(self.text["citus"])
        return {name: int(built) for name, built, _ in found if int(built)}


def months_of(folder: Path, facts: str) -> list[Path]:
    """The files of the months, in order; the simulator plants others beside them."""
    return sorted((folder / facts).glob(f"{facts}_20[0-9][0-9][0-9][0-9].parquet"))


@pytest.fixture(scope="module")
def pair(
    cluster: Cluster, embedded_server: LocalServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """Two of the last months, built on both; the last month of all waits."""
    files = tmp_path_factory.mktemp("citus") / "data"
    options = ["--scale", "0.01", "--years", "1", "--seed", SEED, "--end-date", END_DATE]
    run_script("generate.py", *options, "--dirty", "0.004", "--output", str(files))
    first = tmp_path_factory.mktemp("first") / "data"
    shutil.copytree(files, first, ignore=lambda *_: ["manifest.json", "state.npz"])
    for facts in FACTS:
        kept = months_of(first, facts)[-3:-1]
        for path in set((first / facts).iterdir()) - set(kept):
            path.unlink()
    made = Pair(create_database(cluster), create_plain_database(embedded_server), files, {})
    try:
        made.load(first)
        made.build()
        yield made
    finally:
        drop_database(made.plain)


def _retail(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command `retail` on a database as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "retail_platform", *arguments],
        cwd=PROJECT,
        env=os.environ
        | database.environment
        | {"DBT_TARGET_PATH": str(database.folder / "target")},
        capture_output=True,
        text=True,
        check=False,
    )


def _explain(database: Database, model: str, lower: str, upper: str) -> str:
    """The plan by which the cluster fills one month of a fact."""
    folder = database.folder / "target" / "compiled" / "retail" / "models" / "marts" / "core"
    query = re.sub(
        r"\(true /\* partition_filter: (.+?) \*/\)",
        rf"(\1 >= '{lower}' and \1 < '{upper}')",
        (folder / f"{model}.sql").read_text(),
    )
    ((columns,),) = database.query(
        "select string_agg(format('cast(%%1$s as %%2$s)', attname,"
        " format_type(atttypid, atttypmod)), ', ' order by attnum)"
        f" from pg_attribute where attrelid = 'retail.{model}'::regclass"
        " and attnum > 0 and not attisdropped and %s",
        True,
    )
    plan = database.query(
        f"explain (costs off) insert into retail.{model} select {columns} from ({query}) as rows_"
    )
    return "\n".join(line for (line,) in plan)


def test_everything_lies_where_its_config_says(pair: Pair):
    found = placements(pair.citus, "staging") | placements(pair.citus)
    assert (
        found.items()
        >= {
            "raw_ventas": "ticket_id",
            "raw_devoluciones": "ticket_id",
            "raw_inventario": "tienda_id",
            "raw_pedidos": "pedido_id",
            "raw_productos": None,
            "canales": "reference",
            "fact_ventas": "ticket_id",
            "fact_devoluciones": "ticket_id",
            "fact_inventario": "tienda_id",
            "fact_pedidos": "pedido_id",
            "dim_calendario": "reference",
            "dim_producto": "reference",
            "dim_promocion": "reference",
            "dim_tienda": "reference",
        }.items()
    )


def test_every_relation_holds_what_it_holds_on_plain_postgresql(pair: Pair):
    refused = pair.citus.query("select count(*) from cuarentena.ventas")
    assert refused != [(0,)]
    assert pair.differences() == []


@pytest.mark.parametrize("model", ["fact_ventas", "fact_inventario", "fact_pedidos"])
def test_workers_build_their_part_of_a_month_by_themselves(pair: Pair, model: str):
    plan = _explain(pair.citus, model, "2025-11-01", "2025-12-01")
    assert re.search(rf"Task\n.*Node: .*\n.*Insert on {model}_\d+", plan), plan
    assert "INSERT/SELECT method" not in plan and "Subplan" not in plan.split("Task Count")[0]


def test_every_analysis_has_the_same_answer(pair: Pair):
    # Of another folder: what explains a build is kept.
    analyses = Database(pair.citus.parameters, pair.citus.server, pair.citus.folder / "analyses")
    analyses.folder.mkdir()
    shutil.copy(pair.citus.folder / "profiles.yml", analyses.folder)
    run_dbt("compile", "--select", "resource_type:analysis", database=analyses)
    compiled = analyses.folder / "target" / "compiled" / "retail" / "analyses"
    paths = sorted(compiled.rglob("*.sql"))
    assert len(paths) > 40
    answered = 0
    for path in paths:
        query = path.read_text()
        # The name of the database stands in it.
        other = query.replace(pair.citus.parameters["dbname"], pair.plain.parameters["dbname"])
        found, expected = pair.citus.query(query), pair.plain.query(other)
        answered += assert_same_rows(found, expected, path.stem) > 0
    assert answered > 20


def test_deliveries_build_the_same_months_on_both(pair: Pair, tmp_path: Path):
    pair.build()
    assert pair.to_build() == {}

    # One more month, and a file that corrects tickets of October and moves some to November.
    more = tmp_path / "data"
    for facts in FACTS:
        (more / facts).mkdir(parents=True)
        shutil.copy(months_of(pair.files, facts)[-1], more / facts)
    sales = pl.read_parquet(months_of(pair.files, "ventas")[-3])
    tickets = sales["ticket_id"].unique(maintain_order=True)
    corrected = sales.filter(pl.col("ticket_id").is_in(tickets[:40].to_list())).with_columns(
        (pl.col("unidades") + 1).alias("unidades"),
        pl.when(pl.col("ticket_id").is_in(tickets[:10].to_list()))
        .then(pl.lit("2025-11-20").str.to_date())
        .otherwise(pl.col("fecha_venta"))
        .alias("fecha_venta"),
    )
    corrected.write_parquet(more / "ventas" / "ventas_202510_correccion.parquet")
    pair.load(more)
    pair.build()
    built = pair.to_build()
    assert built["retail.fact_ventas"] == 3 and built["retail.fact_inventario"] == 1
    assert pair.differences() == []
    pair.build()
    assert pair.to_build() == {}


def test_check_finds_what_somebody_changed_by_hand(pair: Pair):
    command = ["check", "--target", "ci"]
    assert _retail(pair.citus, *command).returncode == 0
    pair.citus.query(
        "delete from retail.fact_ventas where ticket_id ="
        " (select max(ticket_id) from retail.fact_ventas"
        " where fecha_venta between '2025-10-01' and '2025-10-31')"
    )
    result = _retail(pair.citus, *command)
    assert result.returncode != 0 and "fact_ventas 2025-10" in result.stdout + result.stderr
