"""Opens a copy in DuckDB, with everything named as in PostgreSQL."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from retail_platform.errors import UserError
from retail_platform.export.catalog import Column
from retail_platform.export.manifest import (
    MANIFEST,
    Manifest,
    files_of,
    read_manifest,
    to_text,
)
from retail_platform.export.stores import Store, open_store

CATALOG = "copia"
"""Schema of what the copy tells about itself: keys and files."""


def open_lake(store: Store, database: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """Make a DuckDB database whose views are the relations of a copy.

    A view names the files of the manifest, never a folder, so it never reads a file that was
    replaced or does not belong to the copy.

    Args:
        store: A folder with a copy; see `mirror` for one in a bucket.
        database: A file to make, default none.

    Raises:
        UserError: There is no copy, or one of its files is missing or damaged.
    """
    if store.folder is None:
        raise UserError(f"{store.shown} is no folder of this machine: mirror it first.")
    manifest = read_manifest(store, required=True)
    try:
        session = duckdb.connect(database)

        session.execute("set timezone = 'UTC'")
    except duckdb.Error as error:
        raise UserError(f"DuckDB cannot make {database}: {error}") from None
    schema = manifest["schema"]
    session.execute(f"create schema {_name(schema)}; create schema {CATALOG}")
    try:
        for name, relation in manifest["relations"].items():
            _create_view(session, schema, name, _read_files(store, relation), relation)
        _create_aliases(session, manifest)
    except duckdb.Error as error:
        raise UserError(
            f"A file of the copy at {store.shown} is missing or damaged: {error}. "
            "Find out with retail export --check, delete it, and export: it is written anew."
        ) from None
    _describe(session, manifest)
    return session


def mirror(store: Store, folder: Path) -> Store:
    """Bring a copy of a bucket to this machine: only files that are not here yet.

    Args:
        store: The place of the copy.
        folder: Where it goes, a folder of nothing else.

    Returns:
        The folder as a place.

    Raises:
        UserError: There is no copy, a file of it is damaged, the folder holds the copy of another
            database, or has no room.
    """
    manifest = read_manifest(store, required=True)
    local = open_store(str(folder))
    here = read_manifest(local)
    if here and any(here[key] != manifest[key] for key in ("schema", "database")):
        raise UserError(
            f"{local.shown} holds the copy of another database, which the one of {store.shown} "
            "would replace. Name another folder: --local."
        )
    before = files_of(here)
    present = local.sizes(manifest["schema"])
    files = files_of(manifest)
    for path, entry in files.items():
        if present.get(path) != entry["bytes"]:
            content = store.read(path)
            if content is None:
                raise UserError(
                    f"{path} went away at {store.shown} while it was read: repeat. If it stays "
                    "so, an export is missing (retail export --check)."
                )
            if sha256(content).hexdigest() != entry["sha256"]:
                raise UserError(
                    f"{path} at {store.shown} is damaged: not the bytes that the manifest tells. "
                    "Delete it, and export: it is written anew."
                )
            local.write(path, content)
    local.write(MANIFEST, to_text(manifest))
    for path in before.keys() - files.keys():
        local.remove(path)
    return local


def _read_files(store: Store, relation: Manifest) -> str:
    if not relation["files"]:  # partitioned, without partitions
        columns = [Column(**told) for told in relation["columns"]]
        nulls = ", ".join(f"cast(null as {_type(c)}) as {_name(c.name)}" for c in columns)
        return f"select {nulls} where false"
    # DuckDB takes a name for a pattern.
    addresses = [
        re.sub(r"[*?[]", r"[\g<0>]", store.address(file["path"])) for file in relation["files"]
    ]
    paths = ", ".join(map(_text, addresses))
    return f"select * from read_parquet([{paths}], hive_partitioning = false)"


def _create_view(
    session: duckdb.DuckDBPyConnection, schema: str, name: str, query: str, told: Manifest
) -> None:
    view = f"{_name(schema)}.{_name(name)}"
    session.execute(f"create view {view} as {query}")
    if told["comment"]:
        session.execute(f"comment on view {view} is {_text(told['comment'])}")
    for column in told["columns"]:
        if column["comment"]:
            session.execute(
                f"comment on column {view}.{_name(column['name'])} is {_text(column['comment'])}"
            )


def _create_aliases(session: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
    """The views of PostgreSQL; one may read another, so again until nothing more works."""
    waiting = dict(manifest["views"])
    while waiting:
        failed: dict[str, str] = {}
        for name, view in waiting.items():
            [query] = sqlglot.transpile(view["definition"], read="postgres", write="duckdb")
            try:
                _create_view(session, manifest["schema"], name, query, view)
            except duckdb.Error as error:
                failed[name] = str(error)
        if failed.keys() == waiting.keys():
            names = ", ".join(
                f"{name} ({reason.splitlines()[0]})" for name, reason in failed.items()
            )
            raise UserError(
                f"Views that DuckDB does not take: {names}. Another version may have written the "
                "copy: repeat the export with this one (retail export). If they stay, report them."
            )
        waiting = {name: waiting[name] for name in failed}


def _describe(session: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
    """Keys, which a view cannot have, and files as tables."""
    session.execute(
        f"""
        create table {CATALOG}.claves (
            relacion text, tipo text, columnas text[], referencia text, columnas_referidas text[]
        );
        create table {CATALOG}.archivos (
            relacion text, periodo text, archivo text, filas bigint, bytes bigint, sha256 text
        );
        """
    )
    for name, relation in manifest["relations"].items():
        for key in relation["keys"]:
            session.execute(
                f"insert into {CATALOG}.claves values (?, ?, ?, ?, ?)",
                [name, key["kind"], key["columns"], key["to"], key["to_columns"]],
            )
        for file in relation["files"]:
            session.execute(
                f"insert into {CATALOG}.archivos values (?, ?, ?, ?, ?, ?)",
                [name, *(file[key] for key in ("period", "path", "rows", "bytes", "sha256"))],
            )


def _type(column: Column) -> str:
    told = "text" if pa.types.is_string(column.arrow_type) else column.type
    return exp.DataType.build(told, dialect="postgres").sql("duckdb")


def _name(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql("duckdb")


def _text(text: str) -> str:
    return exp.Literal.string(text).sql("duckdb")
