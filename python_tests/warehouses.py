"""Warehouses to run the generated statements on: emulators, and PostgreSQL in Redshift's place.

What each of them does not know is taken out of a statement here, and nowhere else; so this is the
list of what is not run. The emulators live in environments of their own (`make emulators`).
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
import sqlglot
from conftest import PROJECT, Database, free_port
from psycopg2.extensions import connection

BUCKET = "almacen"

# As a client splits a script: a description may hold a semicolon too.
_END = re.compile(
    r";\n\n(?=\Z|(?:create|drop|alter|delete|insert|select|begin|commit|comment|copy|load)\b)"
)


class Engine(Protocol):
    """Something that runs the statements of a warehouse."""

    name: str
    place: str

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""


def statements_of(script: str) -> list[str]:
    """The statements of a script."""
    return [statement for statement in _END.split(script) if statement.strip()]


def run_script(engine: Engine, script: str) -> list[tuple[Any, ...]]:
    """Run a script; the rows of its last statement. BigQuery runs a transaction as one job."""
    statements = statements_of(script)
    if isinstance(engine, BigQuery) and "begin transaction" in statements:
        begin, end = (statements.index(f"{word} transaction") for word in ("begin", "commit"))
        job = ";\n".join(statements[begin : end + 1]) + ";"
        statements = [*statements[:begin], job, *statements[end + 1 :]]
    rows: list[tuple[Any, ...]] = []
    for statement in statements:
        rows = engine.run(statement)
    return rows


def _program(name: str, program: str) -> Path:
    path = PROJECT / f".venv-{name}" / "bin" / program
    if not path.exists():
        pytest.skip(f"{name} is not installed: run `make emulators`")
    return path


class Snowflake:
    """fakesnow, which stores what Snowflake would; the bucket is a folder.

    Not run: CLUSTER BY (it passes it over), the storage integration's rights.
    """

    name = "snowflake"
    place = f"s3://{BUCKET}/copia"

    def __init__(self, process: subprocess.Popen[str], root: Path) -> None:
        """See the function of the same name."""
        self._process, self._root = process, root

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        assert self._process.stdin and self._process.stdout
        statement = statement.replace("s3://", f"file://{self._root}/")
        # It does not escape the quote of a table's comment again.
        self._process.stdin.write(json.dumps(statement.replace("\\'", "´")) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "rows" in answer, (answer["error"], statement[:400])
        return [tuple(row) for row in answer["rows"]]


class BigQuery:
    """bqemulator; a folder is the object store.

    Not run: keys (``not enforced``), and LOAD DATA as a statement: the same load is sent as a job.
    Its loads take ``periodo=`` in a path for a column, which LOAD DATA does only if told to.
    """

    name = "bigquery"
    place = f"gs://{BUCKET}/copia"

    def __init__(self, address: str) -> None:
        """See the function of the same name."""
        self._address = f"{address}/bigquery/v2/projects/retail-project"

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        if statement.startswith("load data"):
            return self._load(statement)
        statement = re.sub(r",\n    [^\n]* not enforced(?=,?\n)", "", statement)
        answer = self._post("/queries", {"query": statement, "useLegacySql": False})
        assert answer.get("jobComplete") and not answer.get("errors"), (answer, statement[:400])
        kinds = [field["type"] for field in answer.get("schema", {}).get("fields", [])]
        return [
            tuple(_typed(cell["v"], kind) for cell, kind in zip(row["f"], kinds, strict=True))
            for row in answer.get("rows", [])
        ]

    def _load(self, statement: str) -> list[tuple[Any, ...]]:
        found = re.fullmatch(
            r"load data overwrite (\w+)\.(\w+) \((.*)\)\nfrom files \(\n"
            r"    format = 'PARQUET',\n    uris = \[\n(.*)\n    \]\n\)",
            statement,
            re.DOTALL,
        )
        assert found, statement[:400]
        dataset, table, columns, uris = found.groups()
        fields = [column.split(" ") for column in re.split(r", (?=\w+ [A-Z])", columns)]
        load = {
            "destinationTable": {
                "projectId": "retail-project",
                "datasetId": dataset,
                "tableId": table,
            },
            "sourceUris": [
                uri.replace("periodo=", "periodo-") for uri in re.findall("'(.*?)'", uris)
            ],
            "sourceFormat": "PARQUET",
            "writeDisposition": "WRITE_TRUNCATE",
            "schema": {
                "fields": [
                    {"name": name, "type": kind.partition("(")[0]}
                    for name, kind in (field[:2] for field in fields)
                ]
            },
        }
        answer = self._post("/jobs", {"configuration": {"load": load}})
        assert "errorResult" not in answer["status"], (answer["status"], statement[:200])
        return []

    def _post(self, path: str, body: object) -> Any:
        request = urllib.request.Request(
            self._address + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            pytest.fail(error.read().decode()[:2000])


def _typed(value: str | None, kind: str) -> Any:
    if value is None:
        return None
    match kind:
        case "INTEGER" | "INT64":
            return int(value)
        case "NUMERIC" | "BIGNUMERIC" | "FLOAT" | "FLOAT64":
            return float(value)
        case "BOOLEAN" | "BOOL":
            return value == "true"
        case _:
            return value


class Redshift:
    """PostgreSQL, for which Redshift's own clauses are taken out after sqlglot read them.

    Not run: DISTSTYLE, DISTKEY, SORTKEY, COPY from a bucket (its files are sent from here, in the
    order of the columns as Redshift would take them), VARCHAR(MAX), late binding of views.
    Foreign keys are enforced here, not there, so they are made but not left in place.
    """

    name = "redshift"
    place = f"s3://{BUCKET}/copia"

    def __init__(self, session: connection, root: Path) -> None:
        """See the function of the same name."""
        self._session, self._root = session, root

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        sqlglot.parse_one(statement, read="redshift")  # raises what Redshift's parser would
        if statement.startswith("copy"):
            return self._copy(statement)
        text = re.sub(r"\n(diststyle|distkey|compound sortkey)[^\n]*", "", statement)
        text = text.replace("VARCHAR(MAX)", "text").replace("\nwith no schema binding", "")
        text = re.sub(r",\n    foreign key [^\n]*?(?=,?\n)", "", text)
        if text.startswith(("create table", "create or replace view")):
            assert text != statement
        with self._session.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall() if cursor.description else []

    def _copy(self, statement: str) -> list[tuple[Any, ...]]:
        found = re.fullmatch(
            r"copy (\S+)\nfrom 's3://(.*)'\niam_role '(\S+)'\nformat as parquet\nmanifest",
            statement,
        )
        assert found, statement
        for entry in json.loads((self._root / found[2]).read_text())["entries"]:
            path = self._root / entry["url"].removeprefix("s3://")
            assert path.stat().st_size == entry["meta"]["content_length"] and entry["mandatory"]
            rows = pq.read_table(path)
            text = io.BytesIO()
            csv.write_csv(
                rows.cast(
                    pa.schema(
                        [
                            # "12:00:00.000000Z" is no text of a timestamp without more ado.
                            field.with_type(pa.string())
                            if pa.types.is_temporal(field.type)
                            else field
                            for field in rows.schema
                        ]
                    )
                ),
                text,
                csv.WriteOptions(include_header=False, quoting_style="all_valid"),
            )
            text.seek(0)
            with self._session.cursor() as cursor:
                cursor.copy_expert(f"copy {found[1]} from stdin (format csv)", text)
        return []


@contextmanager
def snowflake(root: Path) -> Iterator[Snowflake]:
    """A session of fakesnow; ``root`` holds the buckets."""
    program = _program("fakesnow", "python")
    session = PROJECT / "python_tests" / "emulators" / "snowflake_session.py"
    with subprocess.Popen(
        [str(program), str(session)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield Snowflake(process, root)
        finally:
            process.kill()


@contextmanager
def bigquery(root: Path) -> Iterator[BigQuery]:
    """A server of bqemulator; ``root`` holds the buckets."""
    program = _program("bqemulator", "bqemulator")
    home = root.parent / "home"
    [extension] = (program.parents[1] / "lib").glob(
        "python3*/site-packages/duckdb_extension_spatial/extensions/*/*.duckdb_extension"
    )
    # Where DuckDB looks before it downloads.
    target = home / ".duckdb" / "extensions" / extension.parent.name / _platform() / extension.name
    target.parent.mkdir(parents=True)
    shutil.copy(extension, target)
    port = free_port()
    process = subprocess.Popen(
        [str(program), "start", "--rest-port", str(port), "--grpc-port", "0"],
        env=os.environ | {"HOME": str(home), "BQEMU_GCS_LOCAL_ROOT": str(root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", process)
        yield BigQuery(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def _platform() -> str:
    import platform

    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower().replace('darwin', 'osx')}_{machine}"


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("bqemulator did not start")


@contextmanager
def redshift(database: Database, root: Path) -> Iterator[Redshift]:
    """PostgreSQL in its place; ``root`` holds the buckets."""
    with closing(database.connect()) as session:
        session.autocommit = True  # so that begin and commit are the script's
        yield Redshift(session, root)
