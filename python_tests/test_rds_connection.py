"""The target ``rds``: how it connects, and that a refusal names the variable to look at."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from conftest import run_dbt, run_script
from rds_standin import MASTER, Authority, RdsDatabase, Standin

from retail_platform.postgres.connection import connect
from retail_platform.targets import connection_parameters


@pytest.fixture
def database(tls_standin: Standin) -> RdsDatabase:
    return tls_standin.create_database(prepared=False)


def _refused(database: RdsDatabase, **changed: str) -> str:
    """What `make` prints before anything else when the connection is refused."""
    names = {f"RETAIL_RDS_{name.upper()}": value for name, value in changed.items()}
    env = database.environment_of(MASTER) | names
    result = run_script("db.py", "check", "--target", "rds", env=env, check=False)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert database.parameters["password"] not in result.stdout + result.stderr
    return result.stderr


def test_the_server_is_authenticated_and_the_session_encrypted(database: RdsDatabase) -> None:
    assert database.parameters["sslmode"] == "verify-full"
    (row,) = database.query("select ssl, version from pg_stat_ssl where pid = pg_backend_pid()")
    assert row[0] is True
    assert row[1] >= "TLSv1.2"


def test_the_profile_has_everything_from_the_environment_and_bounds_every_wait(
    tls_standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tls_standin.create_database()
    for name, value in database.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RETAIL_RDS_SSLMODE")
    parameters = connection_parameters("rds")
    assert parameters["sslmode"] == "verify-full"
    assert int(parameters["connect_timeout"]) <= 30
    with closing(connect(parameters)) as session, session.cursor() as cursor:
        cursor.execute("select current_setting('lock_timeout'), current_setting('search_path')")
        assert cursor.fetchone() == ("10min", '""'), "set with the role, by make roles"


def test_another_authority_is_refused(database: RdsDatabase, tmp_path: Path) -> None:
    stranger = Authority.create(tmp_path / "stranger")
    message = _refused(database, sslrootcert=str(stranger.certificate))
    assert "RETAIL_RDS_SSLROOTCERT must name the bundle" in message


def test_a_missing_bundle_is_refused(database: RdsDatabase, tmp_path: Path) -> None:
    message = _refused(database, sslrootcert=str(tmp_path / "global-bundle.pem"))
    assert "RETAIL_RDS_SSLROOTCERT" in message
    assert "make rds-bundle" in message


def test_a_name_that_is_not_in_the_certificate_is_refused(database: RdsDatabase) -> None:
    assert "RETAIL_RDS_HOST must be the endpoint" in _refused(database, host="127.0.0.1")


def test_no_encryption_is_refused(database: RdsDatabase) -> None:
    assert "RETAIL_RDS_SSLMODE turns TLS off" in _refused(database, sslmode="disable")


@pytest.mark.parametrize("changed", [{"password": "wrong"}, {"user": "nobody_here"}])
def test_a_wrong_password_or_user_is_refused(
    database: RdsDatabase, changed: dict[str, str]
) -> None:
    assert "RETAIL_RDS_USER and RETAIL_RDS_PASSWORD" in _refused(database, **changed)


def test_an_unknown_database_host_or_port_is_named(database: RdsDatabase) -> None:
    assert "RETAIL_RDS_DBNAME" in _refused(database, dbname="nowhere")
    assert "RETAIL_RDS_HOST and RETAIL_RDS_PORT" in _refused(database, port="1")


def test_an_expired_certificate_is_refused_and_its_rotation_needs_no_restart(
    database: RdsDatabase,
) -> None:
    standin = database.standin
    assert standin.authority is not None
    started = database.query("select pg_postmaster_start_time()")
    standin.use_certificate(*standin.authority.issue("expired", days=-1))
    try:
        message = _refused(database)
    finally:
        standin.use_certificate(*standin.authority.issue("renewed"))
    assert "certificate has expired" in message
    assert "RETAIL_RDS_SSLROOTCERT is not the cause" in message
    assert database.query("select pg_postmaster_start_time()") == started


def test_dbt_refuses_what_python_refuses(database: RdsDatabase, tmp_path: Path) -> None:
    stranger = Authority.create(tmp_path / "stranger")
    refused = run_dbt(
        *["debug", "--connection"],
        database=database,
        env={"RETAIL_RDS_SSLROOTCERT": str(stranger.certificate)},
        check=False,
    )
    assert refused.returncode != 0
    assert "certificate verify failed" in refused.stdout


def test_a_build_writes_no_password_anywhere(tls_standin: Standin, built_on) -> None:
    database = built_on(tls_standin)
    written = [path for path in database.folder.rglob("*") if path.is_file()]
    assert any(path.name == "dbt.log" for path in written)
    password = tls_standin.passwords["retail_transformer"].encode()
    texts = [*written, tls_standin.server.log]
    assert [path for path in texts if password in path.read_bytes()] == []
