"""The daily run: its steps, its lock, and what each exit code stands for."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
from conftest import PROJECT, run_script
from rds_standin import MASTER, RdsDatabase, Standin

from retail_platform import daily
from retail_platform.daily import EXPLANATIONS, DailyRun, Outcome, credentials, judge_build
from retail_platform.errors import UserError
from retail_platform.roles import LOADER, LOGINS, TRANSFORMER, create_roles
from retail_platform.targets import connect

RUN = DailyRun("rds", [Path("data")], attempts=2, wait=0)


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
    # Not a copy: the failed load leaves nothing but its row in the ledger.
    database = built_on(tls_standin)
    delivery = tmp_path / "delivery"
    (delivery / "ventas").mkdir(parents=True)
    shutil.copy(last_months / "tiendas.parquet", delivery)
    (delivery / "ventas" / "ventas_202601.csv").write_text("ticket_id;linea\n1;1\n")
    page = tmp_path / "report.html"
    result = run_script(
        *["daily.py", str(delivery), "--html", str(page), "--attempts", "1"],
        env=_environment(database),
        check=False,
    )
    assert result.returncode == Outcome.LOAD_FAILED, result.stdout + result.stderr
    assert "ventas_202601.csv" in result.stderr
    assert "ERROR=0 SKIP=0" in result.stdout, result.stdout
    assert "<html" in page.read_text()
    assert EXPLANATIONS[Outcome.LOAD_FAILED] in result.stderr
    for password in tls_standin.passwords.values():
        assert password not in result.stdout + result.stderr


def test_a_second_run_at_the_same_time_does_nothing(tls_standin: Standin) -> None:
    database = tls_standin.create_database()
    with closing(connect(tls_standin.parameters("retail_transformer", database.name))) as other:
        with other.cursor() as cursor:
            cursor.execute("lock table staging.corrida_diaria in exclusive mode")
        result = run_script("daily.py", env=_environment(database), check=False)
    assert result.returncode == Outcome.LOCKED
    assert result.stdout == ""


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

    def run(expected: Outcome, codes: dict[str, int], statuses: list[str] | None = None):
        ran: list[str] = []
        results = tmp_path / "run_results.json"

        def step(command: list[str], environment: dict[str, str], folder: Path) -> int:
            assert folder == PROJECT
            name = " ".join(command).split("--target")[0].split("/")[-1].strip()
            name = name.split("-m retail_platform ")[-1]
            name = "report" if "--report" in command else name.split(" data")[0]
            ran.append(name)
            if name == BUILD and statuses is not None:
                found = [{"status": status} for status in statuses]
                results.write_text(json.dumps({"results": found}))
            return codes.get(name, 0)

        monkeypatch.setattr(daily, "_run", step)
        monkeypatch.setattr(daily, "_lock", lambda *_: nullcontext())
        monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
        assert daily.run_daily(RUN) is expected
        return ran

    return run


ALL = ["db check", "db check", CHECK, "load", BUILD, "dbt source freshness", "report"]


@pytest.mark.parametrize(
    ("outcome", "codes", "statuses", "ran"),
    [
        (Outcome.DONE, {}, ["success", "pass"], ALL),
        (Outcome.NO_CONNECTION, {"db check": 1}, None, ALL[:1]),
        (Outcome.LOAD_FAILED, {"load": 1}, ["success"], [*ALL[:4], *ALL[3:]]),
        (Outcome.BUILD_FAILED, {BUILD: 1}, ["error", "fail"], [*ALL[:5], ALL[4]]),
        (Outcome.BUILD_FAILED, {BUILD: 2}, None, [*ALL[:5], ALL[4]]),
        (Outcome.TESTS_FAILED, {BUILD: 1}, ["success", "fail", "skipped"], ALL),
        (Outcome.STALE, {"dbt source freshness": 1}, ["success"], ALL),
        (Outcome.UNACCOUNTED, {"report": 1}, ["success"], ALL),
        (Outcome.CATALOGUE_REFUSED, {"report": 3}, ["success"], ALL),
        (Outcome.LOAD_FAILED, {"load": 1, "report": 1}, ["success"], [*ALL[:4], *ALL[3:]]),
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


def test_every_outcome_is_explained_and_in_the_runbook() -> None:
    runbook = (PROJECT / "docs" / "runbook.md").read_text()
    for outcome in Outcome:
        assert EXPLANATIONS[outcome]
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
    with pytest.raises(UserError, match="no password for retail_loader .*3.*no such profile"):
        with credentials("rds"):
            pass
