"""pg_lifecycle as others install it: its integration project, and an empty one outside."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, Database
from lifecycle.dbt_process import start_dbt
from lifecycle.fixtures import SERVERS

PACKAGE = PROJECT / "packages" / "pg_lifecycle"

SHOP = """
create schema shop;
create table shop.sales (sale_id integer, sold_on date, store_id integer, amount integer);
insert into shop.sales
select n, date '2024-01-01' + n, 1 + n % 3, n from generate_series(0, 90) as n where n > 0;
create table shop.loads (month date, version integer);
insert into shop.loads values ('2024-01-01', 1), ('2024-02-01', 1), ('2024-03-01', 1);
create view shop.sales_view as select * from shop.sales;
create table shop.asked_for (sold_on date);
"""

LONG_NAME = "a_model_whose_name_takes_all_of_the_63_bytes_that_fit_in_a_name"
TABLES_OF_THE_LONG_NAME = """
select relname::text from pg_class where relname like 'a_model_whose%' and relkind in ('r', 'p')
"""

PROFILE = """\
{name}:
  target: test
  outputs:
    test: {{type: postgres, schema: public, threads: 2, {parameters}}}
"""


class Project:
    """A dbt project in a folder of its own and the database that it builds."""

    def __init__(self, folder: Path, name: str, database: Database) -> None:
        """Write its profile and install its packages as a user does."""
        self.folder, self.database = folder, database
        names = {"host": "host", "port": "port", "user": "user", "dbname": "dbname"}
        parameters = [f"{key}: {database.parameters[of]}" for key, of in names.items()]
        parameters.append(f"password: '{database.parameters.get('password', '')}'")
        text = PROFILE.format(name=name, parameters=", ".join(parameters))
        (folder / "profiles.yml").write_text(text)
        self.run("deps")

    def _run(self, *arguments: str, **variables: Any) -> tuple[int, str]:
        where = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        passed = ["--vars", json.dumps(variables)] if variables else []
        environment = {
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
        }
        output = self.database.folder / f"dbt-{uuid.uuid4().hex}.txt"
        started = start_dbt(["--no-use-colors", *arguments, *where, *passed], environment, output)
        return started.wait(), output.read_text()

    def run(self, *arguments: str, **variables: Any) -> str:
        """Run dbt, which must succeed, and return its output."""
        code, text = self._run(*arguments, **variables)
        if code != 0:
            pytest.fail(f"dbt {' '.join(arguments)} exited with {code}\n{text}", pytrace=False)
        assert "Deprecat" not in text
        return text

    def refuse(self, *arguments: str, **variables: Any) -> str:
        """Run dbt, which must fail with a message for people, and return it on one line."""
        code, text = self._run(*arguments, **variables)
        assert code != 0, text
        assert "Traceback" not in text
        return " ".join(text.split())

    def built(self, text: str, prefix: str = "from_") -> dict[str, set[str]]:
        """What a run says it did: model -> endings of the partitions built, how a view was kept."""
        done: dict[str, set[str]] = {}
        for line in text.splitlines():
            _, _, said = line.partition("  upstream.")
            name, _, decision = said.partition(": ")
            if name.startswith(prefix) and decision.startswith("build, "):
                model, _, ending = name.rpartition("_p")
                done.setdefault(model, set()).add(ending)
            elif name.startswith("mv_") and prefix == "mv_" and "nothing tells" not in decision:
                done.setdefault(name, set()).add(decision)
        return done


@pytest.fixture(scope="module", params=SERVERS, ids=["18", "15"])
def integration(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """The integration project, installed and built once: on 18, in the full suite also on 15."""
    from conftest import create_database, drop_database

    database = create_database(request.getfixturevalue(request.param))
    folder = tmp_path_factory.mktemp("package") / "pg_lifecycle"
    shutil.copytree(PACKAGE, folder)
    database.query(SHOP)
    project = Project(folder / "integration_tests", "pg_lifecycle_tests", database)
    project.run("build")
    yield project
    drop_database(database)


def test_a_second_build_touches_only_what_nothing_is_known_of(integration: Project):
    text = integration.run("build")
    assert set(integration.built(text)) == {"from_looked_up"}
    views = integration.built(text, "mv_")
    refreshed = {name for name, decisions in views.items() if decisions != {"up to date"}}
    # A stock table is made anew by every run; a source that is a view tells nothing.
    assert refreshed == {"mv_source_view", "mv_table"}
    assert "upstream.mv_source_view: nothing tells whether" in text
    assert text.count("nothing tells whether") == 1


def test_each_kind_of_parent_builds_the_period_that_changed(integration: Project):
    every = {
        path.stem for path in (PACKAGE / "integration_tests/models/upstream").glob("from_*.sql")
    }
    integration.run("build")
    oids = integration.database.query(
        "select oid from pg_class where relname ~ '^from_' and relkind = 'p'"
    )
    integration.database.query(
        "update shop.sales set amount = amount + 1000 where sale_id = 70;"  # 11 March
        "update shop.loads set version = version + 1 where month = '2024-03-01'"
    )
    text = integration.run("build")
    march = {"202403"}
    built = integration.built(text)
    seed = built.pop("from_seed", set())
    assert seed == set()
    # The lookup was rebuilt: it counts as a whole, unless the model ignores its changes.
    assert built.pop("from_looked_up") == {"202401", "202402", "202403"}
    assert built == dict.fromkeys(every - {"from_seed", "from_looked_up"}, march)
    assert oids == integration.database.query(
        "select oid from pg_class where relname ~ '^from_' and relkind = 'p'"
    )
    views = integration.built(text, "mv_")
    kept = {name for name, decisions in views.items() if decisions == {"up to date"}}
    assert kept == {"mv_seed"}
    for kind in ("plain_source", "table", "incremental", "snapshot", "view", "upsert"):
        for relation in (f"from_{kind}", f"mv_{kind}"):
            (changed,) = integration.database.query(
                f"select max(amount) from upstream.{relation} where sale_id = 70"
            )
            assert changed[0] >= 1070, relation


@pytest.mark.full
def test_a_period_that_lost_all_of_its_rows_is_built_empty(integration: Project):
    integration.run("build")
    integration.database.query(
        "create table shop.kept as select * from shop.sales where sold_on < '2024-02-01';"
        "delete from shop.sales where sold_on < '2024-02-01'"
    )
    text = integration.run("build", "--select", "from_plain_source")
    assert integration.built(text) == {"from_plain_source": {"202401"}}
    assert integration.database.query(
        "select count(*) from upstream.from_plain_source where sold_on < '2024-02-01'"
    ) == [(0,)]
    integration.database.query(
        "insert into shop.sales select * from shop.kept; drop table shop.kept"
    )
    text = integration.run("build", "--select", "from_plain_source")
    assert integration.built(text) == {"from_plain_source": {"202401"}}


@pytest.mark.full
def test_a_view_counts_by_the_sql_that_is_deployed(integration: Project):
    integration.run("build")
    # Not deployed yet: the view in the database is the old one.
    text = integration.run("build", "--select", "from_view", "mv_view", factor=2)
    assert integration.built(text) == {}
    text = integration.run("build", "--select", "logic_view+", factor=2)
    assert integration.built(text) == {"from_view": {"202401", "202402", "202403"}}
    assert integration.built(text, "mv_")["mv_view"] == {"refresh concurrently"}
    integration.run("build")


@pytest.mark.full
def test_a_seed_counts_by_the_rows_that_are_deployed(integration: Project):
    integration.run("build")
    path = integration.folder / "seeds" / "sales_seed.csv"
    path.write_text(path.read_text().replace("2024-02-10,20", "2024-02-10,21"))
    assert integration.built(integration.run("build", "--select", "from_seed")) == {}
    text = integration.run("build", "--select", "sales_seed+")
    assert integration.built(text) == {"from_seed": {"202402"}}
    assert integration.built(text, "mv_")["mv_seed"] == {"refresh concurrently"}


def test_any_name_reaches_the_catalog_and_survives_a_change(integration: Project):
    query = integration.database.query
    integration.run("build")
    parent = query("""select oid from pg_class where relname = 'Sales Lines (100%)'""")
    query(
        "update shop.loads set version = version + 1 where month = '2024-02-01';"
        "update shop.sales set store_id = 9 where sale_id = 40"
    )
    text = integration.run("build")
    assert "Odd Shop.Sales Lines (100%)_p202402: build, the source changed" in text
    assert "Odd Shop.A View: view" not in text
    assert parent == query("""select oid from pg_class where relname = 'Sales Lines (100%)'""")
    assert query(
        """select count(*) from "Odd Shop"."Stores of O'Higgins" where "Store Id" = 9"""
    ) == [(1,)]
    assert query("""select count(*) from "Odd Shop"."Totals by Day" """) == [(90,)]
    indexes = {
        name
        for (name,) in query("select indexname::text from pg_indexes where schemaname = 'Odd Shop'")
    }
    assert {
        "Key of Stores",
        "Stores of O'Higgins_By Rows",
        "Totals by Day_Only One",
        "Once a Store",
        "Sales Lines (100%)_p202402_Of Store",
        "Sales Lines (100%)_p202402_pkey",
    } <= indexes
    assert not [name for name in indexes if "__new" in name]
    assert query(
        """select starts_with(obj_description('"Odd Shop"."Stores of O''Higgins"'::regclass),"""
        """ 'Stores of O''Higgins, 100 % of them.')"""
    ) == [(True,)]


@pytest.mark.full
def test_a_name_of_63_bytes_has_partitions_and_indexes_of_its_own(integration: Project):
    names = [name for (name,) in integration.database.query(TABLES_OF_THE_LONG_NAME)]
    assert len(names) == 1 + 13
    assert all(len(name.encode()) <= 63 for name in names)
    integration.database.query("update shop.loads set version = version + 1")
    text = integration.run("build", "--select", LONG_NAME)
    assert text.count("build, the source changed") == 13
    assert len(names) == len(integration.database.query(TABLES_OF_THE_LONG_NAME))


@pytest.mark.full
def test_hooks_are_macros_that_run_with_the_build(integration: Project):
    integration.run("build")
    query = integration.database.query
    query("insert into shop.asked_for values ('2024-01-31')")
    text = integration.run("build", "--select", "odd_sales")
    assert "Sales Lines (100%)_p202401: build, asked for by also_rebuild" in text
    query(
        "delete from shop.asked_for;"
        "update shop.sales set amount = -5 where sale_id = 5;"
        "update shop.loads set version = version + 1 where month = '2024-01-01'"
    )
    text = integration.refuse("build", "--select", "odd_sales")
    assert "is not published: a sale of -5 between 2024-01-01 and 2024-02-01" in text
    query(
        "update shop.sales set amount = 5 where sale_id = 5;"
        "update shop.loads set version = version + 1 where month = '2024-01-01'"
    )
    integration.run("build")


@pytest.mark.full
def test_a_state_that_cannot_be_read_is_no_state_and_is_said(integration: Project):
    integration.run("build")
    integration.database.query(
        "comment on table upstream.from_versioned_source_p202402 is 'x dbt_state: {oops}';"
        "comment on materialized view upstream.mv_view is e'x\\n\\ndbt_state: {\"version\": {}}'"
    )
    text = integration.run("build", "--select", "from_versioned_source", "mv_view")
    assert integration.built(text)["from_versioned_source"] == {"202402"}
    assert "mv_view: its SQL changed: built beside and swapped" in text
    flat = " ".join(text.split())
    for name in ("from_versioned_source_p202402", "mv_view"):
        assert (
            f"the comment of upstream.{name} holds a state (dbt_state: ...) that cannot be read"
            in flat
        )
    text = integration.run("build", "--select", "from_versioned_source", "mv_view")
    assert "cannot be read" not in text


def test_operations_are_found_by_their_name_alone(integration: Project):
    text = integration.run("run-operation", "report_partitions", "--args", "{model: odd_sales}")
    assert "Sales Lines (100%)_p202403" in text
    text = integration.refuse("run-operation", "report_partitions")
    assert "report_partitions, model: got 'None', allowed are" in text
    integration.run(
        "run-operation",
        "detach_partitions",
        "--args",
        "{model: odd_sales, before: 2024-02-01, dry_run: false}",
    )
    assert integration.database.query(
        "select relnamespace::regnamespace::text from pg_class"
        " where relname = 'Sales Lines (100%)_p202401'"
    ) == [("archive",)]


SALES = """\
{{ config(materialized='partitioned', contract={'enforced': true},
    partition_by={'fields': ['sold_on'], 'granularity': 'month'}) }}

select sale_id, sold_on, amount
from {{ source('shop', 'sales') }}
where {{ pg_lifecycle.partition_filter('sold_on') }}
"""
SALES_YML = """\
version: 2
sources:
  - name: shop
    tables: [{name: sales}]
models:
  - name: sales_by_month
    constraints: [{type: primary_key, columns: [sale_id, sold_on]}]
    columns:
      - {name: sale_id, data_type: integer}
      - {name: sold_on, data_type: date}
      - {name: amount, data_type: integer}
"""


def test_a_new_project_writes_a_few_lines_and_exchanges_the_month_that_changed(
    any_server: Any, new_database: Callable[..., Database], tmp_path: Path
):
    database = new_database(any_server)
    database.query(SHOP)
    folder = tmp_path / "shop"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "{name: shop, version: '1.0.0', config-version: 2, profile: shop,"
        " flags: {send_anonymous_usage_stats: false}}"
    )
    (folder / "packages.yml").write_text(f"packages: [{{local: '{PACKAGE}'}}]")
    (folder / "models" / "sales_by_month.sql").write_text(SALES)
    (folder / "models" / "sales.yml").write_text(SALES_YML)
    project = Project(folder, "shop", database)
    assert project.run("build").count("build, new") == 3
    before = dict(
        database.query("select relname::text, oid from pg_class where relname ~ '^sales_by_month'")
    )
    database.query("update shop.sales set amount = 0 where sale_id = 40")
    text = project.run("build")
    assert "sales_by_month: 1 of 3 partitions to build" in text
    after = dict(
        database.query("select relname::text, oid from pg_class where relname ~ '^sales_by_month'")
    )
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"sales_by_month_p202402", "sales_by_month_p202402_pkey"}
    assert "sales_by_month: 0 of 3 partitions to build" in project.run("build")


@pytest.mark.parametrize("folder", ["macros", "packages/pg_lifecycle/macros"])
def test_one_public_macro_per_file_and_nothing_private_called_from_another(folder: str):
    import re

    for path in (PROJECT / folder).rglob("*.sql"):
        text = path.read_text()
        defined = re.findall(r"{%-? (?:macro|test) (\w+)\(", text) + re.findall(
            r"{%-? materialization (\w+),", text
        )
        assert [name for name in defined if not name.startswith("_")] == [path.stem], path
        called = set(re.findall(r"pg_lifecycle\.(_\w+)\(", text))
        assert called <= set(defined), path
