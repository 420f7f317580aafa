"""The night as a DAG of Airflow: load, build, test, report, export.

Airflow decides when; what is done, its lock, credentials and exit codes are `retail daily`'s. The
project's own environment (the one of the checkout) does the work, this one holds Airflow only.

RETAIL_BUILD=cosmos makes a task of every model instead of one `dbt build`: see README.md.
"""

import os
import shlex
from datetime import datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param, TaskGroup

PROJECT = Path(os.environ.get("RETAIL_PROJECT_DIR") or Path(__file__).resolve().parents[3])
TOOLS = PROJECT / ".venv" / "bin"
TARGET = os.environ.get("RETAIL_TARGET", "local")
# As bash reads them: a folder's name may hold a space or more.
RETAIL = shlex.quote(str(TOOLS / "retail"))
ON_TARGET = f"--target {shlex.quote(TARGET)}"
DELIVERIES = shlex.quote(os.environ.get("RETAIL_DELIVERIES", str(PROJECT / "data")))
COPY = shlex.quote(os.environ.get("RETAIL_COPY", str(PROJECT / "copia")))
COSMOS = os.environ.get("RETAIL_BUILD") == "cosmos"


def retail(task_id: str, *arguments: str) -> BashOperator:
    """A task that is one command of the platform; docs/runbook.md explains its exit codes.

    Arguments go to bash as they are: quoted, or checked by the pattern of a parameter.
    """
    return BashOperator(
        task_id=task_id,
        bash_command=f"exec {RETAIL} {' '.join(arguments)} {ON_TARGET}",
        cwd=str(PROJECT),
        append_env=True,
    )


def build_by_cosmos() -> TaskGroup:
    """A task for each model and its tests. They run dbt itself: not under the daily run's lock."""
    from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
    from cosmos.constants import InvocationMode, LoadMode

    target_folder = Path(os.environ.get("DBT_TARGET_PATH") or PROJECT / "target")
    return DbtTaskGroup(
        group_id="build",
        project_config=ProjectConfig(
            dbt_project_path=PROJECT,
            manifest_path=target_folder / "manifest.json",
            install_dbt_deps=False,
        ),
        profile_config=ProfileConfig(
            profile_name="retail",
            target_name=TARGET,
            profiles_yml_filepath=PROJECT / "profiles.yml",
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            select=os.environ.get("RETAIL_COSMOS_SELECT", "").split(),
        ),
        execution_config=ExecutionConfig(
            dbt_executable_path=TOOLS / "dbt", invocation_mode=InvocationMode.SUBPROCESS
        ),
    )


# Somebody types them: the pattern, and no line break after it, keeps anything else from bash.
DAY = {
    "type": ["null", "string"],
    "format": "date",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "maxLength": 10,
}

with DAG(
    dag_id="retail_night",
    schedule="0 5 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    # For a lock that another run holds, and what `retail daily` did not get over in two attempts.
    default_args={
        "retries": int(os.environ.get("RETAIL_RETRIES", "1")),
        "retry_delay": timedelta(minutes=10),
    },
    params={
        "first": Param(None, title="build again from", **DAY),
        "last": Param(None, title="to", **DAY),
    },
) as dag:
    load = retail("load", "daily", DELIVERIES, "--step load")
    days = "--rebuild {{ params.first }} {{ params.last }}"
    again = "{% if params.first and params.last %}" + days + "{% endif %}"
    build = build_by_cosmos() if COSMOS else retail("build", "daily", "--step build", again)
    # dbt's own tests are part of the build; these look at the night as a whole.
    test = retail("test", "daily", "--step check", "--step freshness")
    report = retail("report", "daily", "--step report")
    export = retail("export", "export", "--to", COPY)
    load >> build >> test >> report
    build >> export
