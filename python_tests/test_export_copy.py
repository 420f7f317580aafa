"""The open copy: what is copied, what is written again, what becomes of it when things go wrong."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import duckdb
import polars as pl
import psycopg2
import pyarrow.parquet as pq
import pytest
from conftest import PROJECT, Database, create_database, drop_database, run_dbt, run_script
from moto.server import ThreadedMotoServer

from retail_platform.errors import UserError
from retail_platform.export import exporting
from retail_platform.export.catalog import read_relations
from retail_platform.export.checking import check as check_copy
from retail_platform.export.exporting import Options, snapshot
from retail_platform.export.manifest import supersede
from retail_platform.export.stores import open_store

LATE = "2023-02"


def export(
    database: Database, place: object, *options: str, check: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    """``retail export`` of a database to a place."""
    return run_script(
        *("export.py", "--target", "ci", "--to", str(place), *options),
        env=database.environment | env,
        check=check,
    )


def manifest_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def files_of(manifest: Mapping[str, Any]) -> dict[tuple[str, str | None], dict[str, Any]]:
    """(relation, period) -> entry."""
    return {
        (name, entry["period"]): entry
        for name, relation in manifest["relations"].items()
        for entry in relation["files"]
    }


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Path -> time of writing and size, of everything below a folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def world(embedded_server, built_database: Database) -> Iterator[Database]:  # type: ignore[no-untyped-def]
    """A built database of this module's own."""
    database = create_database(embedded_server, built_database.parameters["dbname"])
    yield database
    drop_database(database)


@pytest.fixture(scope="module")
def copy(world: Database, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first copy. Read only."""
    folder = tmp_path_factory.mktemp("copy") / "copia"
    export(world, folder)
    return folder


@pytest.fixture
def own_copy(copy: Path, tmp_path: Path) -> Path:
    """The same to be changed."""
    return Path(shutil.copytree(copy, tmp_path / "copia"))


def test_everything_that_holds_rows_is_copied_with_its_types_rows_and_order(
    world: Database, copy: Path
) -> None:
    published = world.query(
        """
        select relname, relkind = 'v' from pg_class
        where relnamespace = 'retail'::regnamespace and relkind in ('r', 'p', 'm', 'v')
            and not relispartition
        """
    )
    manifest = manifest_of(copy)
    assert {name for name, _ in published} == manifest["relations"].keys() | manifest[
        "views"
    ].keys()
    assert all(is_view for name, is_view in published if name in manifest["views"])
    session = duckdb.connect()
    for name, relation in manifest["relations"].items():
        paths = [str(copy / entry["path"]) for entry in relation["files"]]
        read = "read_parquet(?, hive_partitioning = false)"
        described = f"select column_name, column_type from (describe from {read})"
        types = dict(session.execute(described, [paths]).fetchall())
        names = {"text": "VARCHAR", "time(0) without time zone": "TIME", "numeric": "DECIMAL"}
        for column in relation["columns"]:
            wanted = names.get(column["type"], column["type"].upper().replace("NUMERIC", "DECIMAL"))
            assert types[column["name"]] == wanted, (name, column)
        order = ", ".join(relation["sorted_by"])
        rows = session.execute(f"select * from {read} order by {order}", [paths])
        expected = world.query(f"select * from retail.{name} order by {_binary(relation)}")
        assert rows.fetchall() == expected, name
        first = pq.read_table(paths[0])
        assert first.equals(first.sort_by([(key, "ascending") for key in relation["sorted_by"]]))


def _binary(relation: Mapping[str, Any]) -> str:
    """The copy's order in PostgreSQL: texts by their bytes."""
    types = {column["name"]: column["type"] for column in relation["columns"]}
    return ", ".join(
        f'{name} collate "C"' if types[name] == "text" else name for name in relation["sorted_by"]
    )


def test_a_partitioned_relation_lies_in_folders_by_month(world: Database, copy: Path) -> None:
    months = world.query("select distinct to_char(fecha_venta, 'YYYY-MM') from retail.fact_ventas")
    found = {path.name for path in (copy / "retail" / "fact_ventas").iterdir()}
    assert {f"periodo={month}" for (month,) in months} <= found
    [file] = (copy / "retail" / "fact_ventas" / f"periodo={LATE}").iterdir()
    assert pq.ParquetFile(file).metadata.row_group(0).column(0).compression == "ZSTD"


def test_the_manifest_tells_hashes_rows_and_sums(world: Database, copy: Path) -> None:
    entry = files_of(manifest_of(copy))["fact_ventas", LATE]
    [(rows, total, units)] = world.query(
        "select count(*), sum(total_linea), sum(unidades) from retail.fact_ventas"
        " where fecha_venta >= '2023-02-01' and fecha_venta < '2023-03-01'"
    )
    assert (entry["rows"], entry["totals"]["total_linea"]) == (rows, str(total))
    assert entry["totals"]["unidades"] == str(units)
    assert not {"ticket_id", "tienda_id", "producto_id", "linea"} & entry["totals"].keys()
    assert (copy / entry["path"]).stat().st_size == entry["bytes"]


def test_a_second_run_writes_nothing(world: Database, copy: Path) -> None:
    before = state_of(copy)
    assert export(world, copy).stdout.startswith("nothing new; ")
    assert state_of(copy) == before
    assert "rows and sums equal" in export(world, copy, "--check").stdout


def test_a_late_file_writes_its_month(
    embedded_server,  # type: ignore[no-untyped-def]
    world: Database,
    own_copy: Path,
    generated_data: Path,
    tmp_path: Path,
) -> None:
    database = create_database(embedded_server, world.parameters["dbname"])
    try:
        _deliver_again(database, generated_data, tmp_path / "late")
        before, old = manifest_of(own_copy), state_of(own_copy)
        stale = export(database, own_copy, "--check", "--replace", check=False)
        assert stale.returncode == 1 and f"fact_ventas {LATE}" in stale.stdout
        report = export(database, own_copy, "--replace").stdout
        changed = {
            key
            for key, entry in files_of(manifest_of(own_copy)).items()
            if entry["sha256"] != files_of(before)[key]["sha256"]
        }
        assert ("fact_ventas", LATE) in changed and ("agg_ventas_dia_tienda", LATE) in changed
        assert {period for _, period in changed} == {LATE, None}
        assert f"fact_ventas: 1 of 60 files ({LATE})" in report
        # A reader of the manifest before still finds its files, until the grace is over.
        assert {path for path in old if path.endswith(".parquet")} <= state_of(own_copy).keys()
        assert export(database, own_copy, "--check").returncode == 0
        export(database, own_copy, "--grace-hours", "0")
        kept = {entry["path"] for entry in files_of(manifest_of(own_copy)).values()}
        assert state_of(own_copy).keys() == kept | {"manifest.json"}
        assert manifest_of(own_copy)["superseded"] == {}
    finally:
        drop_database(database)


def _deliver_again(database: Database, data: Path, folder: Path) -> None:
    """Three years later a sale line of February 2023 is corrected; loaded and built."""
    name = f"ventas_{LATE.replace('-', '')}.parquet"
    (folder / "ventas").mkdir(parents=True)
    rows = pl.read_parquet(data / "ventas" / name).head(1)
    rows.with_columns((pl.col("unidades") + 1).cast(rows["unidades"].dtype)).write_parquet(
        folder / "ventas" / name
    )
    run_script("load.py", "--target", "ci", str(folder), env=database.environment)
    run_dbt("run", "--select", "fact_ventas+", database=database)


def test_a_build_waits_with_its_exchange_and_one_snapshot_is_read(world: Database) -> None:
    with (
        snapshot(world.parameters, "retail") as (session, _),
        closing(world.connect()) as other,
        closing(world.connect()) as builder,
    ):
        with other, other.cursor() as cursor:  # a writer does not wait, and is not seen
            cursor.execute("update retail.dim_tienda set ciudad = ciudad || '~' returning 1")
            stores = len(cursor.fetchall())
        with session.cursor() as cursor:
            cursor.execute("select count(*) from retail.dim_tienda where ciudad not like '%~'")
            assert cursor.fetchall() == [(stores,)]
        for relation in ("fact_ventas_p202302", "fact_ventas", "mv_ticket_formato"):
            with builder.cursor() as cursor:
                cursor.execute("set local lock_timeout = '50ms'")
                with pytest.raises(psycopg2.errors.LockNotAvailable):
                    kind = "materialized view" if relation.startswith("mv") else "table"
                    cursor.execute(f"alter {kind} retail.{relation} set schema public")
            builder.rollback()
        with builder, builder.cursor() as cursor:
            cursor.execute("refresh materialized view concurrently retail.mv_ticket_formato")
    world.query("update retail.dim_tienda set ciudad = rtrim(ciudad, '~')")


def test_two_exports_at_once_end_as_one(world: Database, tmp_path: Path) -> None:
    command = [sys.executable, str(PROJECT / "scripts" / "export.py")]
    command += ["--target", "ci", "--to", str(tmp_path / "copia")]
    running = [
        subprocess.Popen(
            command, env=os.environ | world.environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = sorted(process.communicate()[0].startswith("nothing new") for process in running)
    assert [process.returncode for process in running] == [0, 0]
    assert told == [False, True]
    assert export(world, tmp_path / "copia", "--check").returncode == 0


@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_a_killed_export_leaves_the_copy_before_and_the_next_one_goes_on(
    world: Database, own_copy: Path, tmp_path: Path, first: bool
) -> None:
    folder = tmp_path / "new" if first else own_copy
    if not first:  # everything is to be written again, as after a change of the layout
        manifest = manifest_of(folder)
        for relation in manifest["relations"].values():
            relation["shape"] = "another"
        (folder / "manifest.json").write_text(json.dumps(manifest))
        shutil.rmtree(folder / "retail" / "fact_ventas")
    before = (folder / "manifest.json").read_bytes() if not first else None
    command = [sys.executable, str(PROJECT / "scripts" / "export.py")]
    process = subprocess.Popen(
        [*command, "--target", "ci", "--to", str(folder)], env=os.environ | world.environment
    )
    facts = folder / "retail" / "fact_ventas"
    deadline = time.monotonic() + 60
    while len(list(facts.glob("*/*.parquet"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = len(list(facts.glob("*/*.parquet")))
    assert 3 <= left < 60
    found = folder / "manifest.json"
    assert (found.read_bytes() if found.exists() else None) == before
    export(world, folder)
    assert export(world, folder, "--check").returncode == 0
    export(world, folder, "--grace-hours", "0")
    kept = {entry["path"] for entry in files_of(manifest_of(folder)).values()}
    assert state_of(folder).keys() == kept | {"manifest.json"}


def test_what_is_not_ours_stays_and_is_told(world: Database, own_copy: Path) -> None:
    notes = own_copy / "retail" / "fact_ventas" / "notas.txt"
    notes.write_text("mine")
    assert "not ours and left alone: retail/fact_ventas/notas.txt" in export(world, own_copy).stdout
    assert notes.read_text() == "mine"
    (own_copy / "manifest.json").write_text('{"files": []}')
    refused = export(world, own_copy, check=False)
    assert refused.returncode == 1 and "is not the manifest of a copy" in refused.stderr
    assert (own_copy / "manifest.json").read_text() == '{"files": []}'


def test_a_lost_or_damaged_file_is_found_and_written_again(world: Database, own_copy: Path) -> None:
    entries = files_of(manifest_of(own_copy))
    lost, damaged = entries["dim_tienda", None], entries["fact_ventas", LATE]
    (own_copy / lost["path"]).unlink()
    content = (own_copy / damaged["path"]).read_bytes()
    (own_copy / damaged["path"]).write_bytes(content[:-1] + b"?")
    found = export(world, own_copy, "--check", check=False)
    assert found.returncode == 1
    assert f"dim_tienda: {lost['path']} is missing" in found.stdout
    assert f"fact_ventas {LATE}: {damaged['path']} is damaged" in found.stdout
    assert found.stdout.endswith("delete a damaged file, then retail export\n")
    (own_copy / damaged["path"]).unlink()
    export(world, own_copy)
    assert export(world, own_copy, "--check").returncode == 0


def test_a_changed_contract_is_told_and_the_relation_is_written_again(
    embedded_server,  # type: ignore[no-untyped-def]
    world: Database,
    own_copy: Path,
) -> None:
    database = create_database(embedded_server, world.parameters["dbname"])
    try:
        for statement in (
            "alter table retail.fact_devoluciones add column nota text",
            "comment on table retail.dim_tienda is 'no state'",
            "create table retail.sin_clave (a integer, b text)",
            "insert into retail.sin_clave values (2, ''), (1, null), (3, E'x\\ny,\"z\"')",
            # Reads the catalog, so its rows are copied and not its definition.
            "create view retail.catalogo as select relname::text as relacion, now() > '2024-01-01' "
            "as es_actual, timestamptz '2024-02-29 12:00-06' as desde from pg_class where relname "
            "= 'fact_ventas'",
            "create table retail.grande as select 9223372036854775807 as n "
            "from generate_series(1, 3)",
            "create table retail.nada (a date)",
            "insert into retail.nada values (null), ('2024-02-29')",
        ):
            database.query(statement)
        told = export(database, own_copy, "--replace").stdout
        assert "fact_devoluciones changed its columns (new nota text): all 60 of its files" in told
        rows = pq.read_table(next((own_copy / "retail" / "sin_clave").iterdir())).to_pylist()
        assert rows == [{"a": 1, "b": None}, {"a": 2, "b": ""}, {"a": 3, "b": 'x\ny,"z"'}]
        assert pq.read_table(next((own_copy / "retail" / "nada").iterdir())).num_rows == 2
        [entry] = manifest_of(own_copy)["relations"]["grande"]["files"]
        assert entry["totals"] == {"n": str(3 * (2**63 - 1))}  # more than 64 bits
        [file] = (own_copy / "retail" / "catalogo").iterdir()
        moment = datetime(2024, 2, 29, 18, tzinfo=UTC)
        expected = {"relacion": "fact_ventas", "es_actual": True, "desde": moment}
        assert pq.read_table(file).to_pylist() == [expected]
        # Nothing tells their version, so they are read, found equal and not written.
        assert export(database, own_copy).stdout.startswith("nothing new; ")
        database.query("alter table retail.sin_clave alter a type bigint")
        told = export(database, own_copy).stdout
        assert "sin_clave changed its columns (a integer -> bigint)" in told
        database.query("drop table retail.sin_clave")
        assert "sin_clave is no longer published" in export(database, own_copy).stdout
        database.query("create table retail.inexacta (a numeric)")
        refused = export(database, own_copy, check=False)
        assert refused.returncode == 1 and "inexacta.a is numeric" in refused.stderr
        database.query("drop table retail.inexacta; insert into retail.nada values ('infinity')")
        refused = export(database, own_copy, check=False)
        assert refused.returncode == 1 and "nada holds a value" in refused.stderr
    finally:
        drop_database(database)


def test_the_rows_of_a_view_are_read_if_something_that_it_reads_changed(
    embedded_server,  # type: ignore[no-untyped-def]
    world: Database,
) -> None:
    database = create_database(embedded_server, world.parameters["dbname"])

    def versions() -> dict[str, str | None]:
        with closing(database.connect()) as session:
            return {
                relation.name: relation.parts[0].version
                for relation in read_relations(session, "retail")
                if relation.name in views
            }

    views = {
        "suma": "select count(*) as n from retail.dim_tienda",
        "de_suma": "select n + 1 as n from retail.suma",
        "de_hechos": "select sum(unidades)::numeric(18, 3) as n from retail.fact_ventas",
        # Of these nothing tells.
        "hoy": "select count(*) as n from retail.dim_tienda where fecha_apertura < current_date",
        "ahora": "select count(*) as n from retail.dim_tienda where fecha_apertura < now()",
        "azar": "select random() as n from retail.dim_tienda",
        "de_azar": "select n + 1 as n from retail.azar",
        "de_fuera": "select count(*) as n from staging.cargas",
        "de_nada": "select 1 as n",
        "de_ajuste": "select current_setting('work_mem') as n from retail.dim_tienda",
        "de_funcion": "select public.fuera(1) as n from retail.dim_tienda",
        "de_texto": "select 'today'::text::date as n from retail.dim_tienda",
    }
    database.query(
        "create function public.fuera(a integer) returns bigint stable language sql "
        "as 'select count(*) from staging.cargas'"
    )
    try:
        for name, definition in views.items():
            database.query(f"create view retail.{name} as {definition}")
        before = versions()
        known = {"suma", "de_suma", "de_hechos"}
        assert {name for name, version in before.items() if version} == known
        assert versions() == before
        database.query("""comment on table retail.dim_tienda is 'dbt_state: {"version": "2"}'""")
        after = versions()
        assert {name for name in views if after[name] != before[name]} == {"suma", "de_suma"}
        database.query(
            "create or replace view retail.suma as select 1 + count(*) as n from retail.dim_tienda"
        )
        changed = versions()
        assert {name for name in views if changed[name] != after[name]} == {"suma", "de_suma"}
    finally:
        drop_database(database)


def test_another_database_is_refused(
    empty_database: Database, built_database: Database, world: Database, own_copy: Path
) -> None:
    before = state_of(own_copy)
    refused = export(built_database, own_copy, check=False)
    assert refused.returncode == 1 and "is of another database" in refused.stderr
    refused = export(empty_database, own_copy, check=False)
    assert refused.returncode == 1 and "Run `make build` first" in refused.stderr
    assert state_of(own_copy) == before


def test_a_role_without_rights_is_told_what_to_grant(world: Database, tmp_path: Path) -> None:
    name = f"lector_{os.getpid()}"
    admin = world.server.admin_parameters(world.parameters["dbname"])
    with closing(psycopg2.connect(**admin)) as session, session, session.cursor() as cursor:
        cursor.execute(f"create role {name} login password 'x'")
    reader = world.environment | {"RETAIL_CI_USER": name, "RETAIL_CI_PASSWORD": "x"}
    reader["RETAIL_CI_HOST"], reader["RETAIL_CI_PORT"] = "127.0.0.1", str(world.server.port)
    try:
        refused = export(world, tmp_path / "copia", check=False, **reader)
        assert refused.returncode == 1
        assert f'grant select on all tables in schema retail to "{name}"' in refused.stderr
        assert not (tmp_path / "copia").exists()
        world.query(f"grant usage on schema retail to {name}")
        world.query(f"grant select on all tables in schema retail to {name}")
        export(world, tmp_path / "copia", **reader)
    finally:
        with closing(psycopg2.connect(**admin)) as session, session, session.cursor() as cursor:
            cursor.execute(f"drop owned by {name}; drop role {name}")


@pytest.mark.parametrize("limit", [20_000, 0])
def test_a_disk_that_takes_no_more_leaves_the_copy_before(
    world: Database, own_copy: Path, limit: int
) -> None:
    manifest = manifest_of(own_copy)
    manifest["relations"].pop("dim_calendario")  # this and others are to be written
    manifest["relations"].pop("fact_inventario")
    (own_copy / "manifest.json").write_text(json.dumps(manifest))
    shutil.rmtree(own_copy / "retail" / "fact_inventario")
    before = state_of(own_copy)
    command = [sys.executable, str(PROJECT / "scripts" / "export.py")]
    failed = subprocess.run(
        [*command, "--target", "ci", "--to", str(own_copy)],
        env=os.environ | world.environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert failed.returncode == 1 and "Traceback" not in failed.stderr
    assert "File too large" in failed.stderr and "The copy is the one before" in failed.stderr
    after = state_of(own_copy)
    assert {path: after[path] for path in before} == before
    assert not [path for path in after if path.endswith(".new")]
    export(world, own_copy)
    assert export(world, own_copy, "--check").returncode == 0


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("ftp://host/x", "allowed: a folder, s3://, gs://"),
        ("s3://key:secret@bucket/x", "holds a key or password"),
        ("s3://key:sec/secret@bucket/x", "holds a key or password"),
        ("", "allowed: a folder, or s3://bucket/prefix"),
        ("s3:bucket/x", "allowed: a folder, or s3://bucket/prefix"),
        (str(PROJECT / "README.md"), "is a file"),
        ("/proc/copia", "Could not write"),
    ],
)
def test_a_place_that_is_none_is_refused(world: Database, place: str, expected: str) -> None:
    refused = export(world, place, check=False)
    assert refused.returncode == 1 and expected in refused.stderr
    assert "secret" not in refused.stderr + refused.stdout


def test_grace_counts_by_the_databases_clock() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    previous = {
        "superseded": {
            "old": (now - 2 * hour).isoformat(),
            "young": (now - hour / 2).isoformat(),
            "ahead": (now + 48 * hour).isoformat(),
            "again": (now - 2 * hour).isoformat(),
        }
    }
    waiting, expired = supersede(previous, {"again"}, ["orphan"], now, hour)
    assert expired == ["old"]
    # A clock that was set back does not keep a file for ever.
    assert waiting == {
        "young": (now - hour / 2).isoformat(),
        "ahead": now.isoformat(),
        "orphan": now.isoformat(),
    }


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[str, Any]]:
    """A local S3 server: pyarrow's options for it, and a client."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = f"?endpoint_override={host}:{port}&scheme=http&region=us-east-1"
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        **{"aws_access_key_id": "test", "aws_secret_access_key": "test"},
    )
    yield options, client
    server.stop()


KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def objects_in(client: Any, bucket: str) -> dict[str, int]:
    """Key -> bytes of what a bucket holds."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}


def test_a_bucket_that_goes_away_in_the_middle_is_told_and_then_holds_the_same_copy(
    world: Database, copy: Path, s3: tuple[str, Any], tmp_path: Path
) -> None:
    options, client = s3
    place = f"s3://copia/retail-copy{options}"
    client.create_bucket(Bucket="copia")
    process = subprocess.Popen(
        [sys.executable, str(PROJECT / "scripts/export.py"), "--target", "ci", "--to", place],
        env=os.environ | world.environment | KEYS,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while len(objects_in(client, "copia")) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    gone = False
    while not gone:
        for key in objects_in(client, "copia"):
            client.delete_object(Bucket="copia", Key=key)
        with suppress(client.exceptions.ClientError):  # another file came in between
            client.delete_bucket(Bucket="copia")
            gone = True
    _, errors = process.communicate()
    assert process.returncode == 1, errors
    assert "Could not write" in errors and "Traceback" not in errors

    client.create_bucket(Bucket="copia")
    export(world, place, **KEYS)
    found = objects_in(client, "copia")
    expected = {entry["path"]: entry["bytes"] for entry in files_of(manifest_of(copy)).values()}
    found.pop("retail-copy/manifest.json")
    assert found == {f"retail-copy/{path}": size for path, size in expected.items()}
    assert export(world, place, **KEYS).stdout.startswith("nothing new; s3://copia/retail-copy:")
    asked = run_script(
        *("lake.py", "--of", place, "--local", str(tmp_path / "local")),
        "select sum(total_linea) as total from retail.ventas",
        env=KEYS,
    )
    [(total,)] = world.query("select sum(total_linea) from retail.fact_ventas")
    assert str(total) in asked.stdout


def test_a_bucket_that_is_not_there_is_told(world: Database, s3: tuple[str, Any]) -> None:
    options, client = s3
    for place in ("s3://nowhere/x", "s3://gone/x"):
        refused = export(world, place + options, check=False, **KEYS)
        assert refused.returncode == 1, refused.stderr
        assert "Could not write" in refused.stderr and "Traceback" not in refused.stderr
        assert "The copy is the one before" in refused.stderr


@pytest.fixture(scope="module")
def small_database(embedded_server) -> Iterator[Database]:  # type: ignore[no-untyped-def]
    database = create_database(embedded_server)
    yield database
    drop_database(database)


@pytest.fixture
def small(small_database: Database) -> Database:
    """A database whose schema holds only what a test puts there."""
    small_database.query("drop schema if exists retail cascade; create schema retail")
    return small_database


def export_small(database: Database, folder: Path, **options: Any) -> exporting.Report:
    """Export within this process, which takes a tenth of a second."""
    return exporting.export(database.parameters, open_store(str(folder)), Options(**options))


def months_of(database: Database, name: str = "hechos") -> None:
    """A relation of three months with a day each, at version 1."""
    database.query(f"create table retail.{name} (dia date, n integer) partition by range (dia)")
    for month in (1, 2, 3):
        table = f"retail.{name}_p20240{month}"
        database.query(
            f"create table {table} partition of retail.{name} "
            f"for values from ('2024-0{month}-01') to ('2024-0{month + 1}-01');"
            f"insert into {table} values ('2024-0{month}-05', {month});"
            f"""comment on table {table} is 'dbt_state: {{"version": "1"}}'"""
        )


def before_part(monkeypatch: pytest.MonkeyPatch, number: int, action: Callable[[], object]) -> None:
    """Do something just before an export reads its part of this number."""
    encode, seen = exporting.encode, iter(range(1, 1000))

    def later(*arguments: Any) -> Any:
        if next(seen) == number:
            action()
        return encode(*arguments)

    monkeypatch.setattr(exporting, "encode", later)


def test_who_waits_for_an_exclusive_lock_does_not_hold_an_export_for_ever(
    small: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.query("create table retail.a (n integer); create table retail.b (n integer)")
    waiting = threading.Thread(
        target=small.query, args=["alter table retail.b add column c integer"], daemon=True
    )

    def change_b() -> None:
        waiting.start()
        while not small.query("select 1 from pg_locks where not granted"):
            time.sleep(0.01)

    monkeypatch.setattr(exporting, "_ROWS_WAIT", "200ms")
    before_part(monkeypatch, 1, change_b)
    with pytest.raises(UserError, match="stayed locked"):
        export_small(small, tmp_path, workers=1)
    waiting.join(20)
    assert not waiting.is_alive()


@pytest.mark.parametrize("ended", ["lock table%", "select pg_advisory_lock%"])
def test_an_export_whose_session_was_ended_writes_no_manifest(
    small: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    months_of(small)

    def end_it_and_exchange() -> None:
        [(gone,)] = small.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where query ilike %s"
            " and datname = current_database() and pid <> pg_backend_pid()",
            ended,
        )
        assert gone

    before_part(monkeypatch, 2, end_it_and_exchange)
    with pytest.raises(UserError, match="The database stopped it"):
        export_small(small, tmp_path, workers=1)
    assert not (tmp_path / "manifest.json").exists()


def test_the_settings_of_a_role_change_no_value_and_end_no_export(
    small: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = small.parameters["dbname"]
    small.query("create table retail.t as select 0.1::float8 + 0.2 as d, '\\x00ff'::bytea as b")
    for setting in (
        "extra_float_digits = -5",
        "bytea_output = escape",
        "idle_in_transaction_session_timeout = 100",
    ):
        small.query(f"alter database {name} set {setting}")
    before_part(monkeypatch, 1, lambda: time.sleep(0.5))
    try:
        export_small(small, tmp_path)
    finally:
        small.query(f"alter database {name} reset all")
    [file] = tmp_path.rglob("*.parquet")
    assert pq.read_table(file).to_pylist() == [{"d": 0.1 + 0.2, "b": "\\x00ff"}]


def test_a_time_limit_of_the_role_is_told(small: Database, tmp_path: Path) -> None:
    name = small.parameters["dbname"]
    small.query("create table retail.t as select n from generate_series(1, 300000) as n")
    small.query(f"alter database {name} set statement_timeout = 20")
    try:
        with pytest.raises(UserError, match="statement_timeout"):
            export_small(small, tmp_path)
    finally:
        small.query(f"set statement_timeout = 0; alter database {name} reset all")


def check_small(database: Database, folder: Path) -> tuple[bool, str]:
    """Whether a copy is good, and what is said about it."""
    findings = check_copy(database.parameters, open_store(str(folder)))
    return findings.good, "\n".join(findings.lines)


def test_an_archived_month_stays_in_the_copy_until_it_is_to_be_forgotten(
    small: Database, tmp_path: Path
) -> None:
    months_of(small)
    export_small(small, tmp_path)
    detach = "alter table retail.hechos detach partition retail.hechos_p20240{0};"
    detach += "drop table retail.hechos_p20240{0};"
    archived = """comment on table retail.hechos is 'dbt_state: {"retained_from": "2024-02-01"}'"""
    small.query(detach.format(1) + archived)
    small.query(detach.format(3))  # by hand: nothing tells that it is to stay
    report = export_small(small, tmp_path)
    assert report.told == [
        "hechos: archived, kept in the copy: 2024-01",
        "hechos: no longer published, their files go: 2024-03",
    ]
    assert export_small(small, tmp_path, grace=timedelta(0)).told == []
    entries = files_of(manifest_of(tmp_path))
    assert [period for _, period in entries] == ["2024-01", "2024-02"]
    assert (tmp_path / entries["hechos", "2024-01"]["path"]).exists()
    good, told = check_small(small, tmp_path)
    assert good and "hechos: 1 archived, not compared" in told
    (tmp_path / entries["hechos", "2024-01"]["path"]).unlink()
    [told] = export_small(small, tmp_path).told
    assert "hechos: archived, and its files are lost: 2024-01" in told
    small.query("alter table retail.hechos add column otra text")
    with pytest.raises(UserError, match="no longer has 2024-01.*--forget-archived"):
        export_small(small, tmp_path)
    export_small(small, tmp_path, forget_archived=True)
    assert [period for _, period in files_of(manifest_of(tmp_path))] == ["2024-02"]


def test_partitions_of_equal_periods_do_not_replace_each_other(
    small: Database, tmp_path: Path
) -> None:
    tables = {
        "lista": ("list (c)", "text", ["for values in ('a')", "for values in ('b')", "default"]),
        "horas": (
            *("range (c)", "timestamptz"),
            [
                f"for values from ('2024-01-01 {a}:00+00') to ('2024-01-01 {b}:00+00')"
                for a, b in (("00", "06"), ("06", "12"), ("12", "18"))
            ],
        ),
        "numeros": (
            *("range (c, d)", "bigint"),
            [f"for values from ({n}, 1) to ({n}, 5)" for n in (1, 2, 3)],
        ),
    }
    values = {
        "lista": ["a", "b", "z"],
        "horas": [f"2024-01-01 {hour}:00+00" for hour in (1, 7, 13)],
        "numeros": [1, 2, 3],
    }
    for name, (how, kind, bounds) in tables.items():
        small.query(f"create table retail.{name} (c {kind}, d integer) partition by {how}")
        for number, bound in enumerate(bounds):
            small.query(f"create table retail.{name}_{number} partition of retail.{name} {bound}")
            small.query(f"insert into retail.{name} values (%s, 2)", values[name][number])
    export_small(small, tmp_path)
    entries = files_of(manifest_of(tmp_path))
    assert entries.keys() == {(name, f"{name}_{n}") for name in tables for n in range(3)}
    assert {entry["rows"] for entry in entries.values()} == {1}
    assert check_small(small, tmp_path)[0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update retail.t set b = 'y'", "t: other values of b in the database"),
        ("update retail.t set c = '2024-01-02'", "t: other values of c in the database"),
        ("update retail.t set d = 0.5", "t: other values of d in the database"),
        (
            "drop view retail.v; create view retail.v as select a, d as b from retail.t",
            "v: its SELECT changed",
        ),
        ("drop view retail.v", "v: in the copy, no longer in the database"),
        ("create view retail.w as select a from retail.t", "w: not in the copy as a view"),
        (
            "drop table retail.u; create view retail.u as select a from retail.t",
            "u: not in the copy as a view\nu: in the copy, no longer in the database as it was",
        ),
    ],
)
def test_a_check_finds_what_rows_and_sums_do_not_tell(
    small: Database, tmp_path: Path, change: str, told: str
) -> None:
    small.query(
        "create table retail.t as select 1 as a, 'x' as b, date '2024-01-01' as c, "
        "0.1::float8 as d; create table retail.u as select 1 as a; "
        "create view retail.v as select a, c as b from retail.t"
    )
    export_small(small, tmp_path)
    assert check_small(small, tmp_path)[0]
    small.query(change)
    good, found = check_small(small, tmp_path)
    assert not good and told in found


def test_texts_of_any_length_and_with_any_line_end_are_copied(
    small: Database, tmp_path: Path
) -> None:
    small.query("create table retail.t (a text, b integer)")
    small.query(
        "insert into retail.t select repeat('x', 20) || chr(13), n from "
        "generate_series(1, 250000) as n"
    )
    small.query("create table retail.u as select repeat('y', 10000000) as a")
    export_small(small, tmp_path)
    assert {entry["rows"] for entry in files_of(manifest_of(tmp_path)).values()} == {250000, 1}
    small.query("create table retail.v as select time '24:00' as t")
    with pytest.raises(UserError, match="24:00:00"):
        export_small(small, tmp_path)


def test_a_domain_is_copied_as_what_it_is_made_of(small: Database, tmp_path: Path) -> None:
    small.query(
        "create domain retail.dinero as numeric(12, 2); create domain retail.precio as "
        "retail.dinero check (value >= 0); create table retail.t (p retail.precio, n integer); "
        "insert into retail.t values (1.50, 1)"
    )
    export_small(small, tmp_path)
    [entry] = files_of(manifest_of(tmp_path)).values()
    assert entry["totals"] == {"p": "1.50", "n": "1"}
    assert check_small(small, tmp_path)[0]


def test_a_partition_of_another_schema_and_a_table_without_columns(
    small: Database, tmp_path: Path
) -> None:
    months_of(small)
    small.query(
        "drop schema if exists otro cascade; create schema otro; create table retail.vacia (); "
        "alter table retail.hechos_p202402 set schema otro"
    )
    export_small(small, tmp_path)
    assert [entry["rows"] for entry in files_of(manifest_of(tmp_path)).values()] == [1, 1, 1]
    assert check_small(small, tmp_path)[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda manifest: manifest.pop("database"),
        lambda manifest: manifest.update(layout="2"),
        lambda manifest: manifest.update(relations=[]),
        lambda manifest: manifest["relations"]["t"].pop("files"),
        lambda manifest: manifest["relations"]["t"]["files"][0].pop("sha256"),
    ],
)
def test_a_damaged_manifest_is_told(
    small: Database, tmp_path: Path, damage: Callable[[dict[str, Any]], Any]
) -> None:
    small.query("create table retail.t as select 1 as a")
    export_small(small, tmp_path)
    manifest = manifest_of(tmp_path)
    damage(manifest)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="if it is a damaged one, delete it and export"):
        export_small(small, tmp_path)


def test_a_file_that_cannot_be_deleted_does_not_hide_that_the_copy_is_new(
    small: Database, tmp_path: Path
) -> None:
    small.query("create table retail.t as select 1 as a")
    export_small(small, tmp_path)
    small.query("update retail.t set a = 2")

    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return getattr(store.files, name)

        def delete_file(self, path: str) -> None:
            raise PermissionError(13, path)

    store = open_store(str(tmp_path))
    refusing = replace(store, files=Refusing())  # type: ignore[arg-type]
    with pytest.raises(UserError, match="The copy is the new one"):
        exporting.export(small.parameters, refusing, Options(grace=timedelta(0)))
    assert files_of(manifest_of(tmp_path))["t", None]["totals"] == {"a": "2"}
