"""Backups: what is in one, the way back into another server, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Database, run_dbt, run_script
from psycopg2 import sql
from rds_standin import MASTER, RdsDatabase, Standin
from test_models_order import RELATIONS

from retail_platform.backup import SNAPSHOTS, back_up, find_backup, restore
from retail_platform.errors import UserError
from retail_platform.loading import State, load_folder
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import LocalServer

# Each case builds two databases: minutes.
pytestmark = pytest.mark.full

HISTORY = f"retail.{SNAPSHOTS}precio"


def _contents(database: Database) -> dict[str, tuple]:
    """Rows and their sum, by relation that people read."""
    found = {}
    with closing(connect(database.parameters)) as session, session.cursor() as cursor:
        cursor.execute("set time zone 'UTC'")
        cursor.execute(RELATIONS)
        for schema, name in sorted(cursor.fetchall()):
            cursor.execute(
                sql.SQL(
                    "select count(*), md5(string_agg(md5(r::text), '' order by md5(r::text))) "
                    "from {} r"
                ).format(sql.Identifier(schema, name))
            )
            found[f"{schema}.{name}"] = cursor.fetchone()
    return found


@pytest.fixture
def source(any_standin: Standin, built_on: Callable[[Standin], RdsDatabase]) -> RdsDatabase:
    """Two months loaded and built by the platform's roles, and a snapshot that no file explains."""
    database = any_standin.create_database(template=built_on(any_standin).name)
    database.query_as(
        "retail_transformer",
        f"create table {HISTORY} as select producto_id, precio_lista * 2 as precio "
        f"from retail.dim_producto; comment on table {HISTORY} is 'kept'",
    )
    return database


def test_a_restored_backup_builds_to_the_same_relations(
    source: RdsDatabase, empty_database: Database, last_months: Path, tmp_path: Path
) -> None:
    """From 15 (with TLS) and 18 with roles to the embedded 18 without: an upgrade as well."""
    place = tmp_path / "respaldo"
    made = run_script(
        *["backup.py", "--target", "rds", "--to", str(place)], env=source.environment_of(MASTER)
    )
    [folder] = place.iterdir()
    assert str(folder) in made.stdout
    listed = (folder / "toc.dat").read_bytes()
    assert b"raw_ventas" in listed
    assert b"fact_ventas" not in listed
    assert b"stg_ventas" not in listed

    target = empty_database
    restored = run_script(
        *["restore.py", "--target", "ci", "--from", str(place)], env=target.environment
    )
    assert "Next: dbt build --target ci" in restored.stdout
    run_dbt("build", "--exclude-resource-type", "unit_test", database=target)
    assert _contents(target) == _contents(source)
    assert target.query(f"select obj_description('{HISTORY}'::regclass)") == [("kept",)]
    # The ledger knows the files, and counts on.
    report = load_folder(last_months, dict(target.parameters))
    assert {file.state for file in report.files} == {State.ALREADY_LOADED}
    assert target.query(
        "select nextval(pg_get_serial_sequence('staging.cargas', 'carga_id')) > max(carga_id) "
        "from staging.cargas"
    ) == [(True,)]


def test_a_database_that_holds_something_is_left_alone(
    built_database: Database, tmp_path: Path
) -> None:
    back_up(built_database.parameters, tmp_path)
    before = built_database.query("select count(*), max(carga_id) from staging.cargas")
    result = run_script(
        *["restore.py", "--target", "ci", "--from", str(tmp_path)],
        env=built_database.environment,
        check=False,
    )
    assert result.returncode == 1
    assert "is not empty: cuarentena." in result.stderr
    assert "new database" in result.stderr
    assert built_database.query("select count(*), max(carga_id) from staging.cargas") == before


def test_what_cannot_be_backed_up_or_restored_is_said(
    built_database: Database, empty_database: Database, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="nothing was loaded there yet"):
        back_up(empty_database.parameters, tmp_path)
    with pytest.raises(UserError, match="There is no backup in"):
        restore(empty_database.parameters, tmp_path)
    occupied = tmp_path / "file"
    occupied.touch()
    with pytest.raises(UserError, match="cannot be written to .*file: Not a directory|File exists"):
        back_up(built_database.parameters, occupied)

    place = tmp_path / "respaldo"
    older, _ = back_up(built_database.parameters, place)
    newer = older.rename(place / "29990101T000000Z")
    older, contents = back_up(built_database.parameters, place)
    assert find_backup(place)[0] == newer
    assert find_backup(older)[0] == older

    # Rows are missing, or a file is broken: said, and not taken for a restored database.
    noted = older / "respaldo.json"
    told = json.loads(noted.read_text())
    told["rows"]["staging.raw_productos"] += 1
    noted.write_text(json.dumps(told))
    with pytest.raises(UserError, match=r"raw_productos has 125 rows, not 126. Drop the database"):
        restore(empty_database.parameters, older)
    empty_database.query("drop schema staging, cuarentena, retail cascade")
    for path in older.glob("*.dat.gz"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="pg_restore failed(.|\n)*Part of the backup"):
        restore(empty_database.parameters, older)
    noted.write_text("{")
    with pytest.raises(UserError, match="name another backup"):
        restore(empty_database.parameters, older)


def test_a_backup_is_not_brought_to_an_older_server(
    built_database: Database,
    postgres15: LocalServer,
    new_database: Callable[..., Database],
    tmp_path: Path,
) -> None:
    back_up(built_database.parameters, tmp_path)
    older = new_database(postgres15)
    with pytest.raises(UserError, match="made by PostgreSQL 18, the target is 15"):
        restore(older.parameters, tmp_path)
    assert older.query("select to_regnamespace('staging')") == [(None,)]


@pytest.mark.full
def test_a_backup_of_everything_needs_no_build(
    built_database: Database, empty_database: Database, tmp_path: Path
) -> None:
    back_up(built_database.parameters, tmp_path, everything=True)
    restore(empty_database.parameters, tmp_path)
    assert _contents(empty_database) == _contents(built_database)
    result = run_dbt("build", "--exclude-resource-type", "unit_test", database=empty_database)
    assert ": build, " not in result.stdout, result.stdout
