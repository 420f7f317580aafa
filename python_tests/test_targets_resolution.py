"""Targets: what profiles.yml means to Python, that dbt agrees, and what is refused how."""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from conftest import PROJECT, Database, run_dbt, run_script

from retail_platform import targets
from retail_platform.errors import UserError
from retail_platform.postgres.connection import connect, url
from retail_platform.postgres.server import DEFAULT_PORT, LocalServer
from retail_platform.targets import check_target, connection_parameters

RDS = {
    "RETAIL_RDS_HOST": "retail.example.org",
    "RETAIL_RDS_USER": "retail_transformer",
    "RETAIL_RDS_PASSWORD": "0123",
}


@pytest.fixture(autouse=True)
def example_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the example with a clean environment, whatever the developer has set."""
    for name in (*RDS, "RETAIL_LOCAL_PORT", "RETAIL_RDS_SSLMODE", "RETAIL_RDS_SSLROOTCERT"):
        monkeypatch.delenv(name, raising=False)
    shutil.copy(PROJECT / "profiles.yml.example", tmp_path / "profiles.yml")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))


def test_local_is_the_embedded_server(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {"user": "retail", "dbname": "retail", "connect_timeout": "10"}
    place = {"host": f"/tmp/retail-{DEFAULT_PORT}", "port": str(DEFAULT_PORT)}
    assert connection_parameters("local") == expected | place
    monkeypatch.setenv("RETAIL_LOCAL_PORT", "6001")
    place = {"host": "/tmp/retail-6001", "port": "6001"}
    assert connection_parameters("local") == expected | place


def test_rds_authenticates_the_server_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in RDS.items():
        monkeypatch.setenv(name, value)
    parameters = connection_parameters("rds")
    assert parameters["sslmode"] == "verify-full"
    assert parameters["password"] == "0123"
    assert parameters["sslrootcert"] == "global-bundle.pem", "what `make rds-bundle` gets"
    assert int(parameters["keepalives_idle"]) < 350


@pytest.mark.parametrize("missing", RDS)
def test_an_unset_variable_of_rds_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in RDS.items():
        if name != missing:
            monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=f"'rds' needs the environment variable {missing}"):
        connection_parameters("rds")


def test_an_unknown_target_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"Unknown target 'prod'.*ci, local, rds"):
        connection_parameters("prod")


def test_a_profile_without_outputs_is_explained(tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_text("retail:\n  target: local\n")
    with pytest.raises(
        UserError, match=r"no profile 'retail' with outputs.*profiles\.yml\.example"
    ):
        connection_parameters("local")


def test_the_example_holds_no_secret_and_no_fixed_address_but_loopback() -> None:
    outputs = yaml.safe_load((PROJECT / "profiles.yml.example").read_text())["retail"]["outputs"]
    assert list(outputs) == ["local", "ci", "rds"]
    for name in ("host", "user", "password"):
        assert re.fullmatch(r"{{ env_var\('RETAIL_RDS_\w+'\) }}", outputs["rds"][name]), name
    assert outputs["ci"]["password"] == "{{ env_var('RETAIL_CI_PASSWORD', '') }}"
    assert outputs["local"]["password"] == ""
    assert all(output["schema"] == "retail" for output in outputs.values())


def test_the_url_has_no_password_and_quotes_names() -> None:
    parameters = {"host": "db.example.org", "port": "5432", "user": "a@b", "password": "secret"}
    text = url(parameters | {"dbname": "retail", "sslmode": "verify-full"})
    assert text == "postgresql://a%40b@db.example.org:5432/retail?sslmode=verify-full"
    socket = {"host": "/tmp/x", "port": "6001", "user": "retail", "dbname": "retail"}
    assert url(socket) == "postgresql://retail@/retail?host=/tmp/x&port=6001"


def test_dbt_and_python_agree(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in empty_database.environment.items():
        monkeypatch.setenv(name, value)
    debug = run_dbt("debug", database=empty_database).stdout
    shown = dict(re.findall(r" (host|port|user|database): (\S+)", debug))
    parameters = connection_parameters("ci")
    assert shown.pop("database") == parameters["dbname"]
    assert shown == {name: parameters[name] for name in shown}
    with closing(connect(parameters)) as session, session.cursor() as cursor:
        cursor.execute("select current_database()")
        assert cursor.fetchone() == (empty_database.parameters["dbname"],)


def _use(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in database.environment.items():
        monkeypatch.setenv(name, value)


def test_a_schema_of_somebody_else_is_refused_and_left_alone(
    empty_database: Database,
    embedded_server: LocalServer,
    generated_data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = empty_database.parameters["dbname"]
    with closing(connect(embedded_server.admin_parameters(name))) as session:
        with session, session.cursor() as cursor:
            cursor.execute("create schema staging")
    _use(empty_database, monkeypatch)
    with pytest.raises(UserError, match=r"'staging' .*belongs to 'postgres'.*alter schema"):
        check_target("ci")
    for script in (["load.py", str(generated_data)], ["answers.py"]):
        refused = run_script(*script, "--target", "ci", env=empty_database.environment, check=False)
        assert refused.returncode != 0
        assert "Traceback" not in refused.stderr
    assert empty_database.query(
        "select count(*) from pg_class where relnamespace = 'staging'::regnamespace"
    ) == [(0,)]


def test_an_old_server_is_refused(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(empty_database, monkeypatch)
    old = SimpleNamespace(server_version=140012, close=lambda: None)
    monkeypatch.setattr(targets, "connect", lambda _: old)
    with pytest.raises(UserError, match="PostgreSQL 14; version 15 or newer"):
        check_target("ci")


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETAIL_LOCAL_PORT", "1")
    with pytest.raises(UserError, match=r"Cannot connect to target 'local'[\s\S]*make db-start"):
        check_target("local")


def test_a_profile_of_an_older_version_is_told_what_to_take_over(
    embedded_server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = yaml.safe_load((tmp_path / "profiles.yml").read_text())
    profile["retail"]["outputs"]["local"]["host"] = "127.0.0.1"
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(profile))
    monkeypatch.setenv("RETAIL_LOCAL_PORT", str(embedded_server.port))
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    with pytest.raises(UserError, match=r"no password supplied[\s\S]*profiles\.yml\.example"):
        check_target("local")


@pytest.mark.parametrize("script", ["db.py check", "load.py", "answers.py"])
@pytest.mark.parametrize(
    ("target", "expected"), [("prod", "ci, local, rds"), ("rds", "RETAIL_RDS_HOST")]
)
def test_every_command_line_refuses_a_bad_target(
    script: str, target: str, expected: str, generated_data: Path
) -> None:
    source = [str(generated_data)] if script == "load.py" else []
    refused = run_script(*script.split(), *source, "--target", target, check=False)
    assert refused.returncode != 0
    assert expected in refused.stderr
    assert "Traceback" not in refused.stderr
