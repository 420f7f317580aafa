"""Makes the copy, or brings it up to date: new files, then the manifest, then old files go."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection

from retail_platform.errors import UserError
from retail_platform.export.catalog import (
    Part,
    Relation,
    names_to_hold,
    read_relations,
)
from retail_platform.export.manifest import (
    MANIFEST,
    FileEntry,
    Manifest,
    entry_of,
    files_of,
    make_manifest,
    make_plan,
    read_manifest,
    supersede,
    to_text,
)
from retail_platform.export.stores import Store
from retail_platform.export.transfer import encode
from retail_platform.postgres.connection import connect

_LOCK_WAIT = "10min"
# Of a session that reads: whoever waits in front of it for an exclusive lock waits for our guard,
# which only sleeps, so the server sees no deadlock.
_ROWS_WAIT = "1min"
_ATTEMPTS = 5

# What the text of a value depends on; and no limit of the role ends a session that holds the
# snapshot while others work (some of these are unknown to older servers).
_SETTINGS = """
select set_config(name, value, false)
from pg_settings
inner join (
    values ('extra_float_digits', '1'), ('bytea_output', 'hex'), ('timezone', 'UTC'),
        ('idle_in_transaction_session_timeout', '0'), ('idle_session_timeout', '0'),
        ('transaction_timeout', '0')
) as wanted (name, value) using (name)
"""


@dataclass(frozen=True)
class Options:
    """How to export.

    Attributes:
        schema: What to copy.
        grace: How long files stay that the copy no longer needs.
        workers: Parts moved at a time.
        replace: Whether a copy of another database may be replaced.
        forget_archived: Whether files go whose partition was archived.
    """

    schema: str = "retail"
    grace: timedelta = timedelta(hours=1)
    workers: int = 2
    replace: bool = False
    forget_archived: bool = False


@dataclass
class Report:
    """What an export did.

    Attributes:
        manifest: Of the copy as it is now.
        written: The files that are new, by relation.
        told: What a person should know.
        changed: Whether anything was written.
    """

    manifest: Manifest
    written: dict[str, list[FileEntry]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    changed: bool = False


def export(parameters: Mapping[str, str], store: Store, options: Options) -> Report:
    """Bring the copy at a place up to date with a database.

    Args:
        parameters: libpq's.
        store: The place.
        options: How.

    Raises:
        UserError: The database cannot be read, or the place not be written. The copy is then the
            one before.
    """
    with closing(_connect(parameters)) as owner, _told_by_database(options.schema):
        owner.autocommit = True
        _only_one(owner, store)
        with snapshot(parameters, options.schema) as (session, snapshot_id):
            relations = read_relations(session, options.schema)
            database, now = _identity(session)
            previous = read_manifest(store)
            _refuse_other_database(previous, database, store, options)
            present = store.sizes(options.schema)
            plan = make_plan(relations, previous, present, forget_archived=options.forget_archived)
            written = dict(_write_all(parameters, snapshot_id, store, options, plan.write, present))
        _assert_alive(owner)
        entries = plan.keep | written
        paths = {entry["path"] for entry in entries.values()}
        orphans, foreign = _others(options.schema, relations, present, paths, previous)
        waiting, expired = supersede(previous, paths, orphans, now, options.grace)
        manifest = make_manifest(options.schema, database, relations, entries, waiting)
        report = Report(manifest, told=plan.told)
        if manifest != {key: value for key, value in previous.items() if key != "exported_at"}:
            manifest["exported_at"] = now.isoformat()
            store.write(MANIFEST, to_text(manifest))
            report.changed = True
        else:
            report.manifest = previous
        for path in expired:
            store.remove(path)
    for (name, _), entry in written.items():
        if entry["path"] not in present:
            report.written.setdefault(name, []).append(entry)
    if foreign:
        report.told.append(
            f"not ours and left alone: {', '.join(foreign[:5])}{' ...' * (len(foreign) > 5)}"
        )
    return report


@contextmanager
def snapshot(parameters: Mapping[str, str], schema: str) -> Iterator[tuple[connection, str]]:
    """One snapshot of all relations of a schema.

    A partition that a build exchanges after a snapshot was taken looks empty in it: its rows are
    younger. So everything is held (ACCESS SHARE, as any reader does) before the snapshot is taken;
    a build waits for us with its exchange and goes on asking.

    Yields:
        A session in the snapshot, and its name for further sessions.

    Raises:
        UserError: The database refused something, or ended a session: what was read since then may
            be another state.
    """
    with (
        closing(_connect(parameters)) as guard,
        closing(_connect(parameters)) as session,
        _told_by_database(schema),
    ):
        _hold(guard, schema)
        session.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with session.cursor() as cursor:
            cursor.execute("set local lock_timeout = %s", [_ROWS_WAIT])
            cursor.execute("select pg_export_snapshot()")
            [[snapshot_id]] = cursor.fetchall()
        yield session, snapshot_id
        _assert_alive(guard)
        _assert_alive(session)


def _connect(parameters: Mapping[str, str]) -> connection:
    """A session that writes values as this program reads them, and that no time limit ends."""
    session = connect(parameters)
    session.autocommit = True  # so that no rollback takes them back
    with session.cursor() as cursor:
        cursor.execute(_SETTINGS)
    session.autocommit = False
    return session


def _assert_alive(session: connection) -> None:
    """A session that ended has let go of its locks."""
    with session.cursor() as cursor:
        cursor.execute("select 1")


@contextmanager
def _told_by_database(schema: str) -> Iterator[None]:
    """Say what the database refused.

    Raises:
        UserError: In place of its error.
    """
    try:
        yield
    except UserError:  # a refused connection is both
        raise
    except psycopg2.errors.LockNotAvailable:
        raise UserError(
            f"A relation of schema '{schema}' stayed locked. Somebody holds it exclusively, or "
            "waits to (VACUUM FULL, an ALTER TABLE): look into pg_stat_activity, repeat."
        ) from None
    except psycopg2.Error as error:
        reason = str(error).strip() or "the connection ended"
        raise UserError(
            f"The database stopped it: {reason}. The copy is the one before; repeat. If a time "
            "limit of the role did it (statement_timeout), raise that."
        ) from None


def _hold(guard: connection, schema: str) -> None:
    for attempt in range(_ATTEMPTS):
        tables, views = names_to_hold(guard, schema)
        guard.rollback()
        try:
            with guard.cursor() as cursor:
                cursor.execute("set local lock_timeout = %s", [_LOCK_WAIT])
                if tables:  # with their partitions
                    cursor.execute(
                        sql.SQL("lock table {} in access share mode").format(
                            sql.SQL(", ").join(sql.Identifier(schema, name) for name in tables)
                        )
                    )
                for name in views:  # LOCK knows no materialized views
                    cursor.execute(
                        sql.SQL("select from {} limit 0").format(sql.Identifier(schema, name))
                    )
            return
        except psycopg2.errors.UndefinedTable:  # taken out of use in between
            guard.rollback()
            if attempt == _ATTEMPTS - 1:
                raise


def _only_one(session: connection, store: Store) -> None:
    """Wait until no other export of this database to this place runs."""
    with session.cursor() as cursor:
        cursor.execute("select set_config('lock_timeout', %s, false)", [_LOCK_WAIT])
        try:
            cursor.execute(
                "select pg_advisory_lock(hashtextextended(%s, 18))", [f"export {store.shown}"]
            )
        except psycopg2.errors.LockNotAvailable:
            raise UserError(
                f"Another export to {store.shown} has been running for {_LOCK_WAIT}. Look for it "
                "in pg_stat_activity (it waits or works), then repeat."
            ) from None


def _identity(session: connection) -> tuple[dict[str, str], datetime]:
    """What tells this database from others, and its time."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select current_database(), system_identifier::text, clock_timestamp()
            from pg_control_system()
            """
        )
        [[name, system, now]] = cursor.fetchall()
    return {"name": name, "system": system}, now


def _refuse_other_database(
    previous: Manifest, database: Mapping[str, str], store: Store, options: Options
) -> None:
    if previous and not options.replace:
        before = {"schema": previous["schema"], **previous["database"]}
        if before != {"schema": options.schema, **database}:
            raise UserError(
                f"The copy at {store.shown} is of another database: schema '{before['schema']}' of "
                f"'{before['name']}' (system {before['system']}), this is schema "
                f"'{options.schema}' of '{database['name']}' (system {database['system']}). Give "
                "another place, or, if this database takes its place (a restore), --replace."
            )


def _write_all(
    parameters: Mapping[str, str],
    snapshot_id: str,
    store: Store,
    options: Options,
    parts: list[tuple[Relation, Part]],
    present: Mapping[str, int],
) -> Iterator[tuple[tuple[str, str | None], FileEntry]]:
    """Read and write parts, some at a time, each worker in a session of its own."""
    sessions: list[connection] = []
    local = threading.local()

    def begin() -> None:
        local.session = _connect(parameters)
        sessions.append(local.session)
        local.session.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with local.session.cursor() as cursor:
            cursor.execute("set transaction snapshot %s", [snapshot_id])
            cursor.execute("set local lock_timeout = %s", [_ROWS_WAIT])

    def move(item: tuple[Relation, Part]) -> tuple[tuple[str, str | None], FileEntry]:
        relation, part = item
        if not hasattr(local, "session"):
            begin()
        encoded = encode(local.session, relation, part)
        entry = entry_of(options.schema, part, encoded)
        if present.get(entry["path"]) != entry["bytes"]:
            store.write(entry["path"], encoded.content)
        return (relation.name, part.period), entry

    workers = max(1, min(options.workers, len(parts)))
    try:
        with ThreadPoolExecutor(workers) as pool:
            moved = [pool.submit(move, item) for item in parts]
            try:
                for future in moved:
                    yield future.result()
            finally:  # after an error: nothing more is begun
                for future in moved:
                    future.cancel()
    finally:
        for session in sessions:
            session.close()


def _others(
    schema: str,
    relations: list[Relation],
    present: Mapping[str, int],
    current: set[str],
    previous: Manifest,
) -> tuple[list[str], list[str]]:
    """Files beside the copy: those that an export of ours left, and those of somebody else."""
    names = {relation.name for relation in relations} | previous.get("relations", {}).keys()
    ours = re.compile(
        rf"{re.escape(schema)}/({'|'.join(map(re.escape, sorted(names)))})/"
        r"([a-z]+=[\w-]+/)?\.?\1-[\w-]*[0-9a-f]{16}\.parquet(\.new)?"
    )
    known = current | files_of(previous).keys() | previous.get("superseded", {}).keys()
    beside = [path for path in sorted(present) if path not in known]
    return (
        [path for path in beside if ours.fullmatch(path)],
        [path for path in beside if not ours.fullmatch(path)],
    )
