"""The daily run: its steps, its lock, and what each exit code stands for."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from conftest import PROJECT, run_script
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from rds_standin import MASTER, RdsDatabase, Standin

from retail_platform import daily
from retail_platform.daily import DailyRun, credentials, judge_build
from retail_platform.errors import TEMPORARY, UserError
from retail_platform.postgres.connection import connect
from retail_platform.roles import LOADER, LOGINS, READER, TRANSFORMER, create_roles
from retail_platform.runs import EXPLANATIONS, KEPT_LOGS, RESULTS, Outcome, new_log

# A path that exists wherever the tests run.
RUN = DailyRun("rds", [Path()], attempts=2, wait=0)


def _environment(database: RdsDatabase) -> dict[str, str]:
    """As on the machine of the daily run: no user of the target, a password for each role."""
    passwords = database.standin.passwords
    return database.environment_of("retail_loader") | {
        "RETAIL_RDS_USER": "nobody",
        "RETAIL_RDS_PASSWORD": "none",
        "RETAIL_LOADER_PASSWORD": passwords["retail_loader"],
        "RETAIL_TRANSFORMER_PASSWORD": passwords["retail_transformer"],
        "DBT_TARGET_PATH": str(database.folder / "target"),
        "DBT_LOG_PATH": str(database.folder / "logs"),
    }


def test_a_day_is_loaded_built_and_reported_and_a_bad_file_holds_nothing_up(
    tls_standin: Standin,
    built_on: Callable[[Standin], RdsDatabase],
    last_months: Path,
    tmp_path: Path,
) -> None:
    # Not a copy: the failed load leaves nothing but its row in the ledger, and the run its own.
    database = built_on(tls_standin)
    database.query_as(  # as a killed run leaves it
        LOADER.name,
        "insert into staging.corridas (iniciada_en, resultado) values (now(), 'en_curso')",
    )
    delivery = tmp_path / "delivery"
    (delivery / "ventas").mkdir(parents=True)
    shutil.copy(last_months / "tiendas.parquet", delivery)
    (delivery / "ventas" / "ventas_202601.csv").write_text("ticket_id;linea\n1;1\n")
    page, metrics, told = (tmp_path / name for name in ("report.html", "daily.prom", "told"))
    result = run_script(
        *["daily.py", str(delivery), "--html", str(page), "--metrics", str(metrics)],
        env=_environment(database) | {"RETAIL_ON_FAILURE": f"env >'{told}'"},
        check=False,
    )
    assert result.returncode == Outcome.LOAD_FAILED, result.stdout + result.stderr
    assert "ventas_202601.csv" in result.stderr
    assert "ERROR=0 SKIP=0" in result.stdout, result.stdout
    assert "<html" in page.read_text()
    assert EXPLANATIONS[Outcome.LOAD_FAILED] in result.stderr
    for password in tls_standin.passwords.values():
        assert password not in result.stdout + result.stderr
    assert "trying again" not in result.stderr, "a refused file would be refused again"

    variables = dict(line.partition("=")[::2] for line in told.read_text().splitlines())
    assert variables["RETAIL_OUTCOME"] == "LOAD_FAILED"
    assert variables["RETAIL_EXIT_CODE"] == str(Outcome.LOAD_FAILED.value)
    assert variables["RETAIL_MESSAGE"] == EXPLANATIONS[Outcome.LOAD_FAILED]
    assert variables["RETAIL_REPORT"] == str(page)
    log = Path(variables["RETAIL_LOG"]).read_text()
    assert "ventas_202601.csv" in log
    assert "ERROR=0 SKIP=0" in log
    assert EXPLANATIONS[Outcome.LOAD_FAILED] in log
    assert "PASS freshness" in log
    assert "ERROR freshness" not in log

    killed, run = database.query_as(
        READER.name, "select resultado, codigo_salida from retail.corridas order by corrida_id"
    )
    assert killed == ("interrumpida", None)
    assert run == (RESULTS[Outcome.LOAD_FAILED], Outcome.LOAD_FAILED.value)
    ((files, failed, rows, refused, least, total),) = database.query_as(
        READER.name,
        "select archivos_cargados, archivos_fallidos, filas_entregadas, filas_rechazadas, "
        "least(segundos_comparacion, segundos_carga, segundos_construccion, segundos_frescura, "
        "segundos_informe), segundos_comparacion + segundos_carga + segundos_construccion "
        "+ segundos_frescura + segundos_informe - extract(epoch from terminada_en - iniciada_en) "
        "from retail.corridas order by corrida_id desc limit 1",
    )
    assert (files, failed, rows, refused) == (0, 1, 0, 0)
    assert least > 0
    assert total < 0, "the steps are part of the run"
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.read_text())
        for sample in family.samples
    }
    assert samples["retail_daily_exit_code",] == Outcome.LOAD_FAILED.value
    assert samples["retail_daily_files_failed",] == 1
    assert samples["retail_daily_step_seconds", "build"] > 0
    assert ("retail_daily_last_done_timestamp_seconds",) not in samples, "there was none yet"


def test_a_second_run_at_the_same_time_does_nothing(tls_standin: Standin) -> None:
    database = tls_standin.create_database()
    with closing(connect(tls_standin.parameters("retail_transformer", database.name))) as other:
        with other.cursor() as cursor:
            cursor.execute("lock table staging.corrida_diaria in exclusive mode")
        told = database.folder / "told"
        environment = _environment(database) | {"RETAIL_ON_FAILURE": f"touch '{told}'"}
        result = run_script("daily.py", env=environment, check=False)
    assert result.returncode == Outcome.LOCKED
    assert result.stdout == ""
    assert EXPLANATIONS[Outcome.LOCKED] in result.stderr
    assert "ERROR" not in result.stderr, "nothing is wrong"
    assert not told.exists()
    assert database.query("select count(*) from staging.corridas") == [(0,)]


def test_what_is_named_and_missing_ends_the_run_at_once(tmp_path: Path) -> None:
    told = tmp_path / "told"
    result = run_script(
        *["daily.py", str(tmp_path / "unmounted"), "--html", str(tmp_path / "no" / "page.html")],
        # No server is asked: the target's variables are not even set.
        env={
            "RETAIL_ON_FAILURE": f"echo $RETAIL_OUTCOME >'{told}'; exit 3",
            "DBT_LOG_PATH": str(tmp_path / "logs"),
        },
        check=False,
    )
    assert result.returncode == Outcome.NO_SUCH_PATH
    assert f"{tmp_path}/unmounted does not exist" in result.stderr
    assert f"the folder {tmp_path}/no does not exist" in result.stderr
    assert told.read_text() == "NO_SUCH_PATH\n"
    assert "RETAIL_ON_FAILURE told nobody: it ended with exit code 3" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--step", "load"], "give files or folders"),
        (["--step", "dance"], "invalid choice: 'dance'"),
        (["--rebuild", "2026-02-01", "2026-01-01"], "FROM is after TO"),
        (["--rebuild", "2026-02-01", "soon"], "invalid fromisoformat value: 'soon'"),
    ],
)
def test_wrong_choices_are_named(arguments: list[str], said: str) -> None:
    result = run_script("daily.py", *arguments, check=False)
    assert result.returncode == 2
    assert said in result.stderr


def test_logs_are_kept_for_some_nights(tmp_path: Path) -> None:
    for night in range(KEPT_LOGS + 5):
        (tmp_path / f"daily-20260101T0500{night:02}-1.log").touch()
    (tmp_path / "dbt.log").touch()
    newest = new_log(tmp_path)
    kept = sorted(tmp_path.glob("daily-*.log"))
    assert len(kept) == KEPT_LOGS
    assert kept[-1] == newest
    assert (tmp_path / "dbt.log").exists()


def test_credentials_that_do_not_work_are_a_kind_of_failure_of_their_own(
    tls_standin: Standin,
) -> None:
    env = _environment(tls_standin.create_database())
    for name in ("RETAIL_TRANSFORMER_PASSWORD", "RETAIL_LOADER_PASSWORD"):
        result = run_script("daily.py", env=env | {name: "expired"}, check=False)
        assert result.returncode == Outcome.NO_CONNECTION
        assert "RETAIL_RDS_USER and RETAIL_RDS_PASSWORD" in result.stderr


def test_a_connection_that_lacks_a_variable_is_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RETAIL_RDS_HOST", raising=False)
    result = run_script("daily.py", check=False)
    assert result.returncode == Outcome.NO_CONNECTION
    assert "RETAIL_RDS_HOST" in result.stderr
    failing = run_script("daily.py", env={"RETAIL_PASSWORD_COMMAND": "exit 3"}, check=False)
    assert failing.returncode == Outcome.NO_CONNECTION
    assert "RETAIL_PASSWORD_COMMAND" in failing.stderr


BUILD = "dbt build --exclude-resource-type unit_test"
CHECK = "check --share"


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[str]]:
    """Run with steps that end as told: ``steps(build="error", load=1)``; returns what ran."""

    def run(
        expected: Outcome,
        codes: dict[str, int],
        statuses: list[str] | None = None,
        wanted: DailyRun = RUN,
    ):
        ran: list[str] = []
        results = tmp_path / "run_results.json"

        def step(
            command: list[str], environment: dict[str, str], folder: Path, log: Path | None
        ) -> int:
            assert folder == PROJECT
            name = " ".join(command).split("--target")[0].split("/")[-1].strip()
            name = name.split("-m retail_platform ")[-1]
            name = "report" if "--report" in command else name.removesuffix(" .")
            ran.append(name)
            if name.startswith(BUILD) and statuses is not None:
                found = [{"status": status} for status in statuses]
                results.write_text(json.dumps({"results": found}))
            return codes.get(name, 0)

        monkeypatch.setattr(daily, "_run", step)
        monkeypatch.setattr(daily, "_lock", lambda *_: nullcontext())
        monkeypatch.setattr(daily._Steps, "_note", lambda *_: None)
        monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
        monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path / "logs"))
        assert daily.run_daily(wanted) is expected
        return ran

    return run


ALL = ["db check", "db check", CHECK, "load", BUILD, "dbt source freshness", "report"]


@pytest.mark.parametrize(
    ("outcome", "codes", "statuses", "ran"),
    [
        (Outcome.DONE, {}, ["success", "pass"], ALL),
        (Outcome.NO_CONNECTION, {"db check": 1}, None, ALL[:1]),
        (Outcome.LOAD_FAILED, {"load": 1}, ["success"], ALL),
        (Outcome.LOAD_FAILED, {"load": TEMPORARY}, ["success"], [*ALL[:4], *ALL[3:]]),
        (Outcome.LOAD_FAILED, {"load": -9}, ["success"], [*ALL[:4], *ALL[3:]]),
        (Outcome.BUILD_FAILED, {BUILD: 1}, ["error", "fail"], [*ALL[:5], ALL[4]]),
        (Outcome.BUILD_FAILED, {BUILD: 2}, None, [*ALL[:5], ALL[4]]),
        (Outcome.TESTS_FAILED, {BUILD: 1}, ["success", "fail", "skipped"], ALL),
        (Outcome.STALE, {"dbt source freshness": 1}, ["success"], ALL),
        (Outcome.UNACCOUNTED, {"report": 1}, ["success"], ALL),
        (Outcome.CATALOGUE_REFUSED, {"report": 3}, ["success"], ALL),
        (Outcome.LOAD_FAILED, {"load": 1, "report": 1}, ["success"], ALL),
        (Outcome.TAMPERED, {CHECK: 1}, ["success"], ALL),
        (Outcome.UNACCOUNTED, {CHECK: 1, "report": 1}, ["success"], ALL),
    ],
)
def test_each_kind_of_failure_has_its_exit_code_and_ends_where_it_should(
    steps: Callable[..., list[str]],
    outcome: Outcome,
    codes: dict[str, int],
    statuses: list[str] | None,
    ran: list[str],
) -> None:
    assert steps(outcome, codes, statuses) == ran


def test_an_orchestrator_runs_the_steps_one_by_one(steps: Callable[..., list[str]]) -> None:
    for name, ran in (("load", ALL[3]), ("build", ALL[4]), ("freshness", ALL[5])):
        wanted = replace(RUN, steps=[name])
        assert steps(Outcome.DONE, {}, ["success"], wanted) == [*ALL[:2], ran]
    # `--step build` with the sources of the whole run loads nothing, and a failure is its own.
    wanted = replace(RUN, steps=["build"], rebuild=(date(2026, 1, 1), date(2026, 2, 28)))
    again = BUILD + ' --vars {"rebuild_range": ["2026-01-01", "2026-02-28"]}'
    assert steps(Outcome.TESTS_FAILED, {again: 1}, ["fail"], wanted) == [*ALL[:2], again]


def test_every_outcome_is_explained_and_in_the_runbook() -> None:
    runbook = (PROJECT / "docs" / "runbook.md").read_text()
    for outcome in Outcome:
        assert EXPLANATIONS[outcome]
        assert RESULTS[outcome]
        assert f"| {outcome.value} |" in runbook


def test_a_step_that_failed_before_any_result_is_a_failed_build(tmp_path: Path) -> None:
    assert judge_build(tmp_path / "run_results.json") is Outcome.BUILD_FAILED


def test_without_roles_the_targets_own_user_does_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for role in LOGINS:
        monkeypatch.delenv(str(role.password_variable), raising=False)
    with credentials("rds") as variables:
        assert variables(LOADER) == {}


def test_a_token_is_made_anew_before_it_expires(
    tls_standin: Standin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database = tls_standin.create_database()
    for name, value in (database.environment_of(MASTER)).items():
        monkeypatch.setenv(name, value)
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    monkeypatch.setenv("RETAIL_PASSWORD_COMMAND", f'cat "{tokens}/$RETAIL_RDS_USER"')

    def connects(variables: dict[str, str]) -> bool:
        return (
            run_script("db.py", "check", "--target", "rds", env=variables, check=False).returncode
            == 0
        )

    for role in LOGINS:
        (tokens / role.name).write_text(tls_standin.passwords[role.name])
    try:
        with credentials("rds", refresh=0.2) as variables:
            own = variables(TRANSFORMER)
            assert own["RETAIL_RDS_PASSWORD"] == ""
            assert connects(own), "with a password of special characters, through libpq's file"
            # The token of a long build expires; the next one is valid.
            new = {"retail_transformer": "next:\\token"}
            create_roles(database.parameters, new)
            (tokens / TRANSFORMER.name).write_text(new["retail_transformer"])
            deadline = time.monotonic() + 10
            while not connects(own):
                assert time.monotonic() < deadline
            path = Path(own["PGPASSFILE"])
            assert path.stat().st_mode & 0o077 == 0
        assert not path.exists()
    finally:
        create_roles(database.parameters, tls_standin.role_passwords)


def test_a_password_command_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETAIL_PASSWORD_COMMAND", "echo no such profile >&2; exit 3")
    told = (
        "no password for retail_loader .*3.*, with RETAIL_RDS_USER=retail_loader.*no such profile"
    )
    with pytest.raises(UserError, match=told):
        with credentials("rds"):
            pass
