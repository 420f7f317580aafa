"""A developer's sandbox: with the var schema_prefix everything has schemas of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Database, run_dbt, run_script

from retail_platform.postgres.server import LocalServer

pytestmark = pytest.mark.full  # a build of everything; test_dbt_commands has a part of one

PREFIX = "{schema_prefix: dev_}"
SCHEMAS = """
select nspname::text from pg_catalog.pg_namespace
where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')
"""


def test_a_prefixed_build_neither_reads_nor_writes_a_relation_without_the_prefix(
    embedded_server: LocalServer, new_database: Callable[..., Database], last_months: Path
):
    database = new_database(embedded_server)
    run_script("load.py", "--target", "ci", str(last_months), env=database.environment)
    # What was delivered stands under the prefix only: whoever reads without it finds nothing.
    database.query(
        "alter schema staging rename to dev_staging;"
        " alter schema cuarentena rename to dev_cuarentena"
    )
    for _ in range(2):
        run_dbt("build", "--vars", PREFIX, database=database)
    asked = run_dbt("source", "freshness", "--vars", PREFIX, database=database, check=False)
    assert "does not exist" not in asked.stdout  # old data: it warns, and reads under the prefix
    detach = "{model: fact_devoluciones, before: 2025-12-01, dry_run: false}"
    run_dbt(
        *("run-operation", "detach_partitions", "--args", detach, "--vars", PREFIX),
        database=database,
    )
    schemas = {name for (name,) in database.query(SCHEMAS)}
    assert schemas == {"dev_staging", "dev_retail", "dev_cuarentena", "dev_archivo"}
    [(sales,)] = database.query("select count(*) from dev_retail.ventas")
    assert sales > 1000
    archived = database.query(
        "select relname::text from pg_class"
        " where relnamespace = 'dev_archivo'::regnamespace and relkind = 'r'"
    )
    assert archived == [("fact_devoluciones_p202511",)]
