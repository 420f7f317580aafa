"""The ledger of loads: what was delivered, what a load replaced, which months changed.

Everything here but ``record_failure`` runs inside the transaction of the load, so rows, ledger row
and versions become visible together.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from retail_platform.loading.moves import (
    KeyCache,
    Range,
    Replaced,
    note_moves,
    replace_in_other_months,
)
from retail_platform.loading.order import newer_loads, note_order, ranked_loads
from retail_platform.loading.schema import FINGERPRINT, LOCKS, REPEATED
from retail_platform.loading.tables import RawTable

COMPLETE = "completa"
FAILED = "fallida"


@dataclass(frozen=True)
class Delivery:
    """The file of one load.

    Attributes:
        table: Where its rows belong.
        name: File name as shown in the ledger.
        sha256: Hexadecimal digest of the file's bytes.
        size: Bytes.
        started: When the load began.
    """

    table: RawTable
    name: str
    sha256: str
    size: int
    started: datetime


@dataclass
class Tally:
    """Rows of one load, counted while its batches pass.

    Attributes:
        delivered: Rows in the file.
        rejected: Rows refused by file rules.
        reasons: Refusals by reason code; a row can have several.
        examples: The first refused row of each reason: row number, column, original text.
        months: Accepted rows by first day of month; empty for a table without partitions.
        ranges: Smallest and largest first key column by month, for rows that can move.
        first: First date of the partition column.
        last: Last date of the partition column.
    """

    delivered: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, tuple[int, str | None, str | None]] = field(default_factory=dict)
    months: Counter[date] = field(default_factory=Counter)
    ranges: dict[date, Range] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None

    @property
    def accepted(self) -> int:
        """Rows that keep every file rule."""
        return self.delivered - self.rejected


def note_passed_over(
    connection: Connection, sources: Iterable[str], found: Iterable[tuple[str, str]]
) -> None:
    """Keep what was passed over in the sources, in place of what an earlier load found there.

    Args:
        connection: An open connection outside a transaction.
        sources: Absolute paths of the delivery's files and folders, as they are shown.
        found: Absolute path and reason of each, as they are shown.
    """
    with connection, connection.cursor() as cursor:
        for source in sources:
            cursor.execute(
                "delete from staging.archivos_omitidos where ruta = %s or starts_with(ruta, %s)",
                [source, source.rstrip("/") + "/"],
            )
        execute_values(
            cursor,
            "insert into staging.archivos_omitidos (ruta, motivo, visto_en) values %s",
            list(found),
            template="(%s, %s, now())",
        )


def complete_load(connection: Connection, delivery: Delivery) -> int | None:
    """The complete load of these very bytes, if there is one.

    Takes a lock until the end of the transaction, so that two deliveries of one file at the same
    time are loaded once: the second waits for the first.
    """
    with connection.cursor() as cursor:
        _take_turn(cursor, f"{delivery.table.name}:{delivery.sha256}")
        cursor.execute(
            "select max(carga_id) from staging.cargas "
            "where tabla = %s and sha256 = %s and estado = %s",
            (delivery.table.name, delivery.sha256, COMPLETE),
        )
        return _value(cursor)


def loaded_hashes(connection: Connection) -> set[str]:
    """SHA-256 of everything that was loaded."""
    with connection, connection.cursor() as cursor:
        cursor.execute("select sha256 from staging.cargas where estado = %s", (COMPLETE,))
        return {row[0] for row in cursor.fetchall()}


def begin(connection: Connection, delivery: Delivery) -> int:
    """Write the ledger row and return its ``carga_id``; nobody sees it before the commit.

    A table without partitions has no versions by month: dbt compares its largest ``carga_id``.
    Its loads therefore run one after the other, so that numbers grow in the order of commits.
    """
    with connection.cursor() as cursor:
        if delivery.table.partition_column is None:
            _lock_table(cursor, delivery.table)
        return _insert(cursor, delivery, COMPLETE, Tally(), None)


@dataclass(frozen=True)
class Outcome:
    """What a load did to earlier ones.

    Attributes:
        replaced: Rows of earlier loads that it replaced.
        moved: Those of them in months, or on days, that it does not deliver, by month.
    """

    replaced: int
    moved: Counter[date]


def finish(
    connection: Connection, delivery: Delivery, load_id: int, tally: Tally, cache: KeyCache
) -> Outcome:
    """Replace what this load corrects, note the changed months, close the ledger row.

    Loads of one table pass here one at a time: each sees the rows of the ones before it, so of two
    loads that deliver a key at the same time the later one wins (order.py says which that is).

    """
    table = delivery.table
    with connection.cursor() as cursor:
        _lock_table(cursor, table)
        note_order(cursor, table.name, load_id, delivery.name)
        gone: list[Replaced] = []
        moved: list[Replaced] = []
        if tally.accepted and table.is_catalogue:
            gone = _keep_versions(cursor, table, load_id)
        elif tally.accepted:
            newer = newer_loads(cursor, table.name, load_id)
            if _overlapped(cursor, table, load_id, tally):
                gone = _replace(cursor, table, load_id, tally, newer)
            if tally.ranges and tally.first and tally.last:
                days = (tally.first, tally.last)
                moved = replace_in_other_months(
                    cursor, table, load_id, days, tally.ranges, cache, newer
                )
        changed = Counter(tally.months)
        replaced: Counter[int] = Counter()
        for one in (*gone, *moved):
            replaced[one.load_id] += one.rows
            if one.month is not None:
                changed[one.month] -= one.rows
        moved_months = note_moves(cursor, table, load_id, moved)
        _note_versions(cursor, table, load_id, changed)
        if replaced:
            execute_values(
                cursor,
                "update staging.cargas c set filas_sustituidas = filas_sustituidas + v.filas "
                "from (values %s) v (carga_id, filas) where c.carga_id = v.carga_id",
                list(replaced.items()),
            )
        cursor.execute(
            """
            update staging.cargas
            set filas_entregadas = %s, filas_aceptadas = %s, filas_rechazadas = %s,
                fecha_min = %s, fecha_max = %s, terminada_en = clock_timestamp()
            where carga_id = %s
            """,
            (tally.delivered, tally.accepted, tally.rejected, tally.first, tally.last, load_id),
        )
    return Outcome(sum(replaced.values()), moved_months)


def record_failure(connection: Connection, delivery: Delivery, tally: Tally, error: str) -> None:
    """Write the ledger row of a load that was rolled back; its rows are nowhere."""
    with connection, connection.cursor() as cursor:
        _insert(cursor, delivery, FAILED, tally, error)


def _insert(cursor: Cursor, delivery: Delivery, state: str, tally: Tally, error: str | None) -> int:
    cursor.execute(
        """
        insert into staging.cargas (
            tabla, archivo, sha256, tamano_bytes, filas_entregadas, filas_aceptadas,
            filas_rechazadas, fecha_min, fecha_max, estado, iniciada_en, terminada_en, error
        )
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp(), %s)
        returning carga_id
        """,
        (
            delivery.table.name,
            delivery.name,
            delivery.sha256,
            delivery.size,
            tally.delivered,
            tally.accepted,
            tally.rejected,
            tally.first,
            tally.last,
            state,
            delivery.started,
            error,
        ),
    )
    return _value(cursor)


def _value(cursor: Cursor) -> Any:
    """The one value of a statement that returns one row."""
    (row,) = cursor.fetchall()
    return row[0]


def _lock_table(cursor: Cursor, table: RawTable) -> None:
    """Let the loads of one table pass one at a time until the end of the transaction."""
    _take_turn(cursor, table.name)


def _take_turn(cursor: Cursor, name: str) -> None:
    """Wait for the transactions that took the same name, and let later ones wait for this one.

    A row that a transaction inserted lets others wait with the same key until it ends, even if it
    deleted the row. Unlike an advisory lock, only who may load can take it.
    """
    cursor.execute(
        f"insert into {LOCKS} values (%(name)s); delete from {LOCKS} where nombre = %(name)s",
        {"name": name},
    )


def _overlapped(cursor: Cursor, table: RawTable, load_id: int, tally: Tally) -> bool:
    """Whether an earlier load has dates in common with this one, and so may have its keys."""
    cursor.execute(
        "select exists (select from staging.cargas where tabla = %(table)s "
        "and estado = %(state)s and carga_id <> %(load)s and filas_aceptadas > 0 "
        "and fecha_min <= %(last)s and fecha_max >= %(first)s)",
        {
            "table": table.name,
            "state": COMPLETE,
            "load": load_id,
            "first": tally.first,
            "last": tally.last,
        },
    )
    return _value(cursor)


def _replace(
    cursor: Cursor, table: RawTable, load_id: int, tally: Tally, newer: list[int]
) -> list[Replaced]:
    """Delete the rows of other loads whose keys this load delivers, or its own if they are newer.

    The dates are literals on the table itself, so only the partitions between them are read.
    """
    keys = ", ".join(table.key)
    same = " and ".join(f"r.{column} = n.{column}" for column in table.key)
    day = f"r.{table.partition_column}"
    between = f"{day} between %(first)s and %(last)s"
    older = "r.carga_id <> %(load)s and r.carga_id <> all(%(newer)s)"
    sides = [("carga_id = any(%(newer)s)", "r.carga_id = %(load)s")] if newer else []
    replaced = []
    # Its own rows that are older go first: they replace nothing.
    for winners, losers in (*sides, ("carga_id = %(load)s", older)):
        cursor.execute(
            f"""
            with deleted as (
                delete from staging.{table.name} r
                using (
                    select distinct {keys} from staging.{table.name} r
                    where {winners} and {between}
                ) n
                where {losers} and {between} and {same}
                returning r.carga_id, date_trunc('month', {day}::timestamp)::date as mes
            )
            select carga_id, mes, count(*) from deleted group by carga_id, mes
            """,
            {"load": load_id, "newer": newer, "first": tally.first, "last": tally.last},
        )
        replaced += [Replaced(*row) for row in cursor.fetchall()]
    return replaced


def _keep_versions(cursor: Cursor, table: RawTable, load_id: int) -> list[Replaced]:
    """Of a catalogue's rows that say the same of a key, keep the first and the last delivered.

    dbt publishes the last version that breaks no rule, and of two keys that claim one code the
    first to have it. Both need the versions before the last, but not how often each came: so the
    table grows with what changes. What is kept does not depend on the order of arrival. Of the rows
    between them the history of the attributes needs when they came: REPEATED notes it.
    """
    keys, contents = ", ".join(table.key), ", ".join(table.column_names)
    note = (
        f"insert into {REPEATED} (tabla, carga_id, fila, huella) "
        "select %(table)s, carga_id, fila, huella from deleted"
    )
    cursor.execute(
        f"""
        with loads as ({ranked_loads()}),
        versions as (
            select
                r.ctid as place,
                r.carga_id,
                row_number() over (same order by l.orden, r.carga_id, r.fila) as from_first,
                row_number() over (
                    same order by l.orden desc, r.carga_id desc, r.fila desc
                ) as from_last
            from staging.{table.name} r
            inner join loads l on l.carga_id = r.carga_id
            where ({keys}) in (select {keys} from staging.{table.name} where carga_id = %(load)s)
            window same as (partition by {contents})
        ),
        deleted as (
            delete from staging.{table.name} r
            using versions v
            where r.ctid = v.place and v.from_first > 1 and v.from_last > 1
            returning r.carga_id, r.fila, {FINGERPRINT.format(row="r")} as huella
        ),
        noted as ({note if table.has_history else "select"})
        select carga_id, null::date, count(*) from deleted group by carga_id
        """,
        {"table": table.name, "load": load_id},
    )
    return [Replaced(*row) for row in cursor.fetchall()]


def _note_versions(
    cursor: Cursor, table: RawTable, load_id: int, changed: Mapping[date, int]
) -> None:
    """Set the version of each changed month to this load and adjust its number of rows."""
    if not changed:
        return
    execute_values(
        cursor,
        """
        insert into staging.versiones_mes as v (tabla, mes, version, filas, actualizada_en)
        values %s
        on conflict (tabla, mes) do update
        set version = excluded.version, filas = v.filas + excluded.filas,
            actualizada_en = excluded.actualizada_en
        """,
        [(table.name, month, load_id, rows) for month, rows in sorted(changed.items())],
        template="(%s, %s, %s, %s, clock_timestamp())",
    )
