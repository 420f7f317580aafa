"""Rows that a later delivery moves to another month.

A load replaces rows of earlier loads by key, but looks only at the days that it delivers. A ticket
that is corrected to another month would then be in both. Raw tables have no index (it would cost
every load), so what is kept instead is small: the smallest and largest key of each month. Keys that
grow with the days, as most systems number them, overlap with no other month, and nothing is looked
at. Where they do overlap (codes turned into numbers, a counter for each store) the keys of a month
are collected once, kept as a sorted array, and compared without reading the month again.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from retail_platform.loading.tables import RawTable
from retail_platform.months import next_month

Keys = npt.NDArray[np.int64]
Range = tuple[int, int]


@dataclass(frozen=True)
class Replaced:
    """Rows of one earlier load that a load replaced.

    Attributes:
        load_id: The earlier load; the load itself where a key comes in two months of one file.
        month: Their month; None without partitions.
        rows: How many.
    """

    load_id: int
    month: date | None
    rows: int


class KeyCache:
    """Keys of months that a run has already fetched; threads take turns."""

    def __init__(self) -> None:
        """Start empty."""
        self._turn = threading.Lock()
        self._kept: dict[tuple[str, date], tuple[int, Keys]] = {}

    def get(self, cursor: Cursor, table: RawTable, month: date, version: int) -> Keys:
        """The sorted keys of a month, collected and kept in the database if they were not.

        Args:
            cursor: Inside the transaction of a load that holds the table's lock.
            table: The table.
            month: First day of the month.
            version: The month's version.
        """
        with self._turn:
            found = self._kept.get((table.name, month))
            if found is None or found[0] != version:
                found = (version, _stored_keys(cursor, table, month))
                self._kept[table.name, month] = found
            return found[1]


def can_move(table: RawTable) -> bool:
    """Whether a key can be in two months: not if the day is part of the key."""
    return table.partition_column is not None and table.partition_column not in table.key


def replace_in_other_months(
    cursor: Cursor,
    table: RawTable,
    load_id: int,
    days: tuple[date, date],
    ranges: dict[date, Range],
    cache: KeyCache,
    newer: list[int],
) -> list[Replaced]:
    """Delete rows with a key of this load from the days that it does not deliver.

    Where those rows are of a newer load, this load's own are deleted instead.

    Runs under the table's lock, so every earlier load is seen and none comes in between.

    Args:
        cursor: Inside the transaction of the load.
        table: A table for which `can_move` holds.
        load_id: The load.
        days: Its first and last day; between them its keys were replaced already.
        ranges: Smallest and largest key by month of the load.
        cache: Keys of months.
        newer: Loads that are later than this one, though they came before it.

    Returns:
        What was deleted.
    """
    _note_missing_ranges(cursor, table, load_id)
    suspects = _suspects(cursor, table, days, ranges)
    replaced = _within_the_load(cursor, table, load_id, days, ranges)
    if suspects:
        own = _keys_of_load(cursor, table, load_id, days)
        for month, version in suspects:
            if month in ranges:  # about to change: nothing to keep
                there = _month_keys(cursor, table, month, load_id)
            else:
                there = cache.get(cursor, table, month, version)
            common = own[np.isin(own, there, assume_unique=True)]
            if len(common):
                replaced += _delete(cursor, table, load_id, days, month, common, newer)
    _note_ranges(cursor, table, load_id, ranges)
    return replaced


def _suspects(
    cursor: Cursor, table: RawTable, days: tuple[date, date], ranges: dict[date, Range]
) -> list[tuple[date, int]]:
    """Months with days outside the load's whose range of keys overlaps that of the load."""
    cursor.execute(
        """
        select mes, version from staging.claves_mes
        where tabla = %s and clave_max >= %s and clave_min <= %s
            and not (mes >= %s and mes + interval '1 month' <= %s::date + 1)
        order by mes
        """,
        (
            table.name,
            min(low for low, _ in ranges.values()),
            max(high for _, high in ranges.values()),
            *days,
        ),
    )
    return cursor.fetchall()


# In the deletes `date::timestamp`: date_trunc of a date depends on the time zone for PostgreSQL,
# and Citus takes nothing of the kind in a statement that changes rows.
def _within_the_load(
    cursor: Cursor,
    table: RawTable,
    load_id: int,
    days: tuple[date, date],
    ranges: dict[date, Range],
) -> list[Replaced]:
    """Of a key in several months of one file keep the month of its last row."""
    ordered = sorted(ranges.values())
    if all(high < low for (_, high), (low, _) in zip(ordered, ordered[1:], strict=False)):
        return []
    keys, day = ", ".join(table.key), table.partition_column
    same = " and ".join(f"r.{column} = n.{column}" for column in table.key)
    return _deleted(
        cursor,
        f"""
        delete from staging.{table.name} r
        using (
            select distinct on ({keys}) {keys}, date_trunc('month', {day}::timestamp) as mes
            from staging.{table.name}
            where carga_id = %(load)s and {day} between %(first)s and %(last)s
            order by {keys}, fila desc
        ) n
        where r.carga_id = %(load)s and r.{day} between %(first)s and %(last)s
            and {same} and date_trunc('month', r.{day}::timestamp) <> n.mes
        returning r.carga_id, date_trunc('month', r.{day}::timestamp)::date as mes
        """,
        {"load": load_id, "first": days[0], "last": days[1]},
    )


def _delete(
    cursor: Cursor,
    table: RawTable,
    load_id: int,
    days: tuple[date, date],
    month: date,
    first_keys: Keys,
    newer: list[int],
) -> list[Replaced]:
    """Of keys of the load that a month has outside the load's days, delete the older rows."""
    keys, day = ", ".join(table.key), table.partition_column
    same = " and ".join(f"r.{column} = n.{column}" for column in table.key)
    own = f"between %(first)s and %(last)s and {{0}}.{table.key[0]} = any(%(keys)s)"
    mine = f"{{0}}.carga_id = %(load)s and {{0}}.{day} {own}"
    there = (
        f"{{0}}.{day} >= %(month)s and {{0}}.{day} < %(next)s "
        f"and {{0}}.{day} not between %(first)s and %(last)s"
    )
    newer_there = f"{{0}}.carga_id = any(%(newer)s) and {there}"
    older_there = f"{{0}}.carga_id <> %(load)s and {{0}}.carga_id <> all(%(newer)s) and {there}"
    values = {
        "load": load_id,
        "first": days[0],
        "last": days[1],
        "month": month,
        "next": next_month(month),
        "keys": first_keys.tolist(),
        "newer": newer,
    }
    deleted = []
    # Its own rows that are older go first: they replace nothing.
    for winners, losers in ((newer_there, mine), (mine, older_there))[0 if newer else 1 :]:
        deleted += _deleted(
            cursor,
            f"""
            delete from staging.{table.name} r
            using (
                select distinct {keys} from staging.{table.name} n where {winners.format("n")}
            ) n
            where {same} and {losers.format("r")}
            returning r.carga_id, date_trunc('month', r.{day}::timestamp)::date as mes
            """,
            values,
        )
    return deleted


def _deleted(cursor: Cursor, delete: str, values: dict[str, object]) -> list[Replaced]:
    cursor.execute(
        f"with d as ({delete}) select carga_id, mes, count(*) from d group by carga_id, mes",
        values,
    )
    return [Replaced(*row) for row in cursor.fetchall()]


def _keys_of_load(cursor: Cursor, table: RawTable, load_id: int, days: tuple[date, date]) -> Keys:
    cursor.execute(
        f"select distinct {table.key[0]} from staging.{table.name} "
        f"where carga_id = %s and {table.partition_column} between %s and %s",
        (load_id, *days),
    )
    return _sorted(cursor.fetchall())


def _month_keys(
    cursor: Cursor, table: RawTable, month: date, without_load: int | None = None
) -> Keys:
    """Collect the keys of a month from its rows."""
    cursor.execute(
        f"""
        select distinct {table.key[0]} from staging.{table.name}
        where {table.partition_column} >= %(month)s
            and {table.partition_column} < %(next)s
            and carga_id is distinct from %(load)s
        """,
        {"month": month, "next": next_month(month), "load": without_load},
    )
    return _sorted(cursor.fetchall())


def _stored_keys(cursor: Cursor, table: RawTable, month: date) -> Keys:
    """The keys of a month as they are kept, or collected and kept from now on."""
    where = (table.name, month)
    cursor.execute("select claves from staging.claves_mes where tabla = %s and mes = %s", where)
    ((kept,),) = cursor.fetchall()
    if kept is not None:
        return np.frombuffer(kept, "<i8")
    keys = _month_keys(cursor, table, month)
    cursor.execute(
        "update staging.claves_mes set claves = %s where tabla = %s and mes = %s",
        (keys.astype("<i8").tobytes(), *where),
    )
    return keys


def _sorted(rows: Sequence[tuple[int]]) -> Keys:
    return np.sort(np.fromiter((row[0] for row in rows), np.int64, len(rows)))


def _note_ranges(cursor: Cursor, table: RawTable, load_id: int, ranges: dict[date, Range]) -> None:
    """Widen the ranges of the load's months; their kept keys are no longer all."""
    execute_values(
        cursor,
        """
        insert into staging.claves_mes as c (tabla, mes, clave_min, clave_max, version) values %s
        on conflict (tabla, mes) do update
        set clave_min = least(c.clave_min, excluded.clave_min),
            clave_max = greatest(c.clave_max, excluded.clave_max),
            version = excluded.version, claves = null
        """,
        [(table.name, month, *ends, load_id) for month, ends in sorted(ranges.items())],
    )


def _note_missing_ranges(cursor: Cursor, table: RawTable, load_id: int) -> None:
    """Note the ranges of months that were loaded before ranges were kept; reads them once."""
    cursor.execute(
        """
        select mes from staging.versiones_mes v
        where tabla = %s and filas > 0
            and not exists (
                select from staging.claves_mes c where c.tabla = v.tabla and c.mes = v.mes
            )
        """,
        (table.name,),
    )
    for (month,) in cursor.fetchall():
        keys = _month_keys(cursor, table, month, load_id)
        if len(keys):
            _note_ranges(cursor, table, 0, {month: (int(keys[0]), int(keys[-1]))})


def note_moves(
    cursor: Cursor, table: RawTable, load_id: int, moved: Sequence[Replaced]
) -> Counter[date]:
    """Write down which rows were replaced in other months, for the report.

    Returns:
        Rows by month.
    """
    rows: Counter[tuple[int, date | None]] = Counter()
    for one in moved:
        rows[one.load_id, one.month] += one.rows
    if rows:
        execute_values(
            cursor,
            "insert into staging.filas_movidas (tabla, carga_id, carga_anterior, mes, filas) "
            "values %s",
            [(table.name, load_id, *place, number) for place, number in rows.items()],
        )
    months: Counter[date] = Counter()
    for one in moved:
        if one.month is not None:
            months[one.month] += one.rows
    return months
