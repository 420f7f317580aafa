"""The platform as assets of Dagster: load, build, export every night; months again on request.

Dagster decides when; what is done, its lock, credentials and exit codes are `retail daily`'s. The
project's own environment (../../.venv) does the work, this one holds Dagster only.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from datetime import timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, build_dbt_asset_specs

PROJECT = Path(os.environ.get("RETAIL_PROJECT_DIR") or Path(__file__).resolve().parents[2])
RETAIL = PROJECT / ".venv" / "bin" / "retail"
TARGET = os.environ.get("RETAIL_TARGET", "local")
DELIVERIES = os.environ.get("RETAIL_DELIVERIES", str(PROJECT / "data"))
COPY = os.environ.get("RETAIL_COPY", str(PROJECT / "copia"))
FIRST_MONTH = os.environ.get("RETAIL_FIRST_MONTH", "2021-01-01")
DBT_TARGET = Path(os.environ.get("DBT_TARGET_PATH") or PROJECT / "target")

LOCKED = 10  # docs/runbook.md explains the exit codes


def retail(context: dg.AssetExecutionContext, *arguments: str) -> None:
    """Run a command of the platform; the run fails with its outcome.

    Another run at work is no failure of this one: Dagster tries again, as the asset's policy says.
    """
    command = [str(RETAIL), *arguments, "--target", TARGET]
    context.log.info(" ".join(command))
    code = subprocess.run(command, cwd=PROJECT, check=False).returncode
    if code == LOCKED:
        raise dg.Failure("another daily run is at work", {"exit_code": code}, allow_retries=True)
    if code:
        raise dg.Failure(
            f"retail {arguments[0]} ended with {code}: docs/runbook.md says what to do",
            {"exit_code": code},
            allow_retries=False,
        )


RETRIES = dg.RetryPolicy(max_retries=int(os.environ.get("RETAIL_RETRIES", "6")), delay=600)

manifest: Mapping[str, Any] = json.loads((DBT_TARGET / "manifest.json").read_text())
translator = DagsterDbtTranslator()
BUILT = ("model", "seed", "snapshot")


@dg.multi_asset(
    specs=[
        dg.AssetSpec([source["source_name"], source["name"]], group_name="load")
        for source in manifest["sources"].values()
    ],
    retry_policy=RETRIES,
)
def load(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Load the files that arrived: the sources of dbt."""
    retail(context, "daily", DELIVERIES, "--step", "load")
    for key in context.selected_asset_keys:
        yield dg.MaterializeResult(key)


@dg.multi_asset(specs=build_dbt_asset_specs(manifest=manifest), retry_policy=RETRIES)
def build(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Build and test what changed: every model of dbt, in one `dbt build`."""
    retail(context, "daily", "--step", "build")
    results = json.loads((DBT_TARGET / "run_results.json").read_text())["results"]
    nodes = {one["unique_id"]: manifest["nodes"].get(one["unique_id"]) for one in results}
    seconds = {
        translator.get_asset_key(node): one["execution_time"]
        for one in results
        if (node := nodes[one["unique_id"]]) and node["resource_type"] in BUILT
    }
    # All of them: what follows is skipped if one is missing, a model that was renamed, say.
    # Dagster wants each behind those that it reads.
    reads = {spec.key: [read.asset_key for read in spec.deps] for spec in context.assets_def.specs}
    for key in TopologicalSorter(reads).static_order():
        if key in context.selected_asset_keys:
            found = {"seconds": seconds[key]} if key in seconds else {}
            yield dg.MaterializeResult(key, metadata=found)


@dg.asset(deps=[build], retry_policy=RETRIES)
def report(context: dg.AssetExecutionContext) -> None:
    """Compare a share of the history, and account for every row."""
    retail(context, *["daily", "--step", "check", "--step", "freshness", "--step", "report"])


@dg.asset(deps=[build])
def export(context: dg.AssetExecutionContext) -> None:
    """Copy what changed into Parquet files."""
    retail(context, "export", "--to", COPY)


@dg.asset(
    partitions_def=dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH),
    # One run for a range of months, because one `dbt build` takes a range.
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=RETRIES,
)
def months_built_again(context: dg.AssetExecutionContext) -> None:
    """Months that are to be built again though nothing about them changed: `rebuild_range`."""
    window = context.partition_time_window
    last = window.end - timedelta(days=1)
    days = (f"{window.start:%Y-%m-%d}", f"{last:%Y-%m-%d}")
    retail(context, *["daily", "--step", "build", "--rebuild", *days])


NIGHTLY = dg.AssetSelection.assets(load, build, report, export)
night = dg.define_asset_job("night", selection=NIGHTLY)


defs = dg.Definitions(
    assets=[load, build, report, export, months_built_again],
    jobs=[night],
    schedules=[dg.ScheduleDefinition(job=night, cron_schedule="0 5 * * *")],
)
