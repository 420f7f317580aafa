"""Which of two deliveries is the later one: what their names say, else which of them came later.

A correction wins over what it corrects, so deliveries of the same keys are ordered. Where the name
of a file holds a full date (``productos_20260301.csv``, ``ventas_2026-03-01_2.csv``), that date and
then the rest of the name decide, whatever order the files arrive in. Without one, or if a file of
that name was loaded before (so this one corrects it), the time of its loading does.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from psycopg2.extensions import cursor as Cursor

ORDERS = "staging.orden_cargas"

_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"
    r"(?:[T_ -]?([01]\d|2[0-3])[-:]?([0-5]\d)(?:[-:]?([0-5]\d))?)?(?!\d)"
)
_DIGITS = 20
"""Digits of a moment down to the microsecond, and of a number in a name."""


def dated(name: str) -> datetime | None:
    """The moment that a file's name holds: a full date, perhaps with a time; the last of several.

    A month alone (``ventas_202401``) says which days a file is about, not when it was made.
    """
    moment = None
    for year, _, month, day, hour, minute, second in _DATE.findall(name):
        hour, minute, second = hour or "00", minute or "00", second or "00"
        with suppress(ValueError):  # 30 February
            moment = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second}+00:00")
    return moment


def order_of(name: str, arrived: datetime, is_known: bool) -> str:
    """The place of a delivery among those of its table: a text that sorts as they follow.

    Args:
        name: The file's name in the ledger.
        arrived: When it is loaded, with a zone.
        is_known: Whether a file of this name was loaded before.

    Returns:
        A moment, and for names with a date the name, its numbers filled up with zeros.
    """
    moment = dated(name)
    if moment is None or is_known or moment > arrived + timedelta(days=1):
        return f"{arrived.astimezone(UTC):%Y%m%d%H%M%S%f}"
    rest = re.sub(r"\d+", lambda number: number[0].zfill(_DIGITS), name.casefold())
    return f"{moment:%Y%m%d%H%M%S%f} {rest}"


def note_order(cursor: Cursor, table: str, load_id: int, name: str) -> None:
    """Write down the place of a load; under the table's lock, so that arrivals are in order."""
    cursor.execute(
        "select clock_timestamp(), exists (select from staging.cargas where tabla = %s "
        "and archivo = %s and estado = 'completa' and carga_id <> %s)",
        (table, name, load_id),
    )
    ((arrived, is_known),) = cursor.fetchall()
    cursor.execute(
        f"insert into {ORDERS} (carga_id, orden) values (%s, %s)",
        (load_id, order_of(name, arrived, is_known)),
    )


def ranked_loads() -> str:
    """SQL (carga_id, orden) with %(table)s: places of complete loads; old databases noted none."""
    return (
        "select c.carga_id, coalesce(o.orden, to_char(c.iniciada_en at time zone 'UTC', "
        "'YYYYMMDDHH24MISSUS')) collate \"C\" as orden "
        f"from staging.cargas c left join {ORDERS} o on o.carga_id = c.carga_id "
        "where c.tabla = %(table)s and c.estado = 'completa'"
    )


def newer_loads(cursor: Cursor, table: str, load_id: int) -> list[int]:
    """Loads that came before this one and yet are later than it: their rows win."""
    cursor.execute(
        f"with ranked as ({ranked_loads()}) select r.carga_id from ranked r "
        "inner join ranked mine on mine.carga_id = %(load)s where r.orden > mine.orden",
        {"table": table, "load": load_id},
    )
    return [number for (number,) in cursor.fetchall()]
