"""What the pages read: one file of SQL a question, a pool of read-only sessions, a cache.

Nothing here knows Streamlit, so `retail report` asks the same questions.
"""

from __future__ import annotations

import datetime
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

import psycopg2
from psycopg2.extensions import connection
from psycopg2.extras import RealDictCursor

from retail_platform.errors import UserError
from retail_platform.postgres.connection import connect
from retail_platform.reporting.statements import render
from retail_platform.roles import READER
from retail_platform.targets import connection_parameters

QUERIES = Path(__file__).with_name("queries")

SESSIONS = 6
ANSWERS = 400
# A page asks for less than 150 ms; whatever takes this long would only hold up the others.
TIMEOUT = "10s"
# How long a visitor waits for a session while others use all of them.
PATIENCE = 15.0

Row = dict[str, Any]
Value = str | int | bool | datetime.date | list[str] | None


class NotAvailable(UserError):
    """There is nothing to show now; the message says in Spanish why and what to do."""

    def __init__(self, title: str, advice: str) -> None:
        """Say it.

        Args:
            title: What is the case.
            advice: What to do.
        """
        super().__init__(f"{title} {advice}")
        self.title, self.advice = title, advice


DOWN = (
    "La base de datos no responde.",
    "Compruebe que el servidor esté encendido (make db-start) y vuelva a cargar la página. "
    "Si sigue igual, avise a quien la opera.",
)
NOT_BUILT = (
    "La base de datos todavía no tiene el modelo publicado.",
    "Hay que construirlo una vez: make build. Después vuelva a cargar la página.",
)
NO_RIGHTS = (
    "El usuario del tablero no puede leer lo publicado.",
    "Quien administra la base le da el permiso con make roles (docs/security.md).",
)
SLOW = (
    "La consulta tardó demasiado y se interrumpió.",
    "Elija un periodo más corto o vuelva a intentarlo en unos minutos: puede haber una carga "
    "en curso.",
)
BUSY = (
    "Hay muchas consultas al mismo tiempo.",
    "Vuelva a intentarlo en unos segundos.",
)


@cache
def statement(name: str) -> str:
    """The SQL of a question, its parameters as psycopg2's named placeholders.

    Args:
        name: Of a file in `QUERIES`, without its suffix.
    """
    path = QUERIES / f"{name}.sql"
    return render(path, variables={"param": lambda parameter: f"%({parameter})s"})


class Published:
    """The published relations of a target, read by many threads at a time."""

    def __init__(self, target: str, parameters: Mapping[str, str] | None = None) -> None:
        """Describe it; nothing is opened before somebody asks.

        Args:
            target: A target of profiles.yml.
            parameters: libpq parameters to use in place of the target's.
        """
        self.target = target
        self._parameters = parameters
        self._idle: LifoQueue[connection] = LifoQueue()
        self._places = threading.BoundedSemaphore(SESSIONS)
        self._answers: OrderedDict[object, list[Row]] = OrderedDict()
        self._lock = threading.Lock()

    def edition(self) -> Edition:
        """What is published now. A page asks once and reads all of its numbers by it.

        Raises:
            NotAvailable: The database is down, not built, busy or too slow.
        """
        [state] = self.ask("version", {})
        return Edition(self, str(state["edicion"]), bool(state["en_construccion"]))

    def remembered(self, key: object) -> list[Row] | None:
        """The answer to a question that was asked before."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        return None

    def remember(self, key: object, answer: list[Row]) -> None:
        """Keep an answer; the one that was not asked for longest makes room."""
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > ANSWERS:
                self._answers.popitem(last=False)

    def ask(self, name: str, parameters: Mapping[str, Value]) -> list[Row]:
        """Run the statement of a question, whatever is remembered."""
        with self._session() as session, session.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(statement(name), dict(parameters))
            return [dict(row) for row in cursor.fetchall()]

    @contextmanager
    def _session(self) -> Iterator[connection]:
        """Lend a session; one that broke is not used again."""
        if not self._places.acquire(timeout=PATIENCE):
            raise NotAvailable(*BUSY)
        session: connection | None = None
        try:
            session = self._open()
            yield session
            self._idle.put(session)
        except psycopg2.Error as error:
            if session is not None:
                session.close()
            raise _explained(error) from None
        finally:
            self._places.release()

    def _open(self) -> connection:
        while True:
            try:
                session = self._idle.get_nowait()
            except Empty:
                return _open(self._parameters or connection_parameters(self.target))
            if _alive(session):
                return session
            session.close()

    def close(self) -> None:
        """Close the idle sessions."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return


@dataclass(frozen=True)
class Edition:
    """What was published when a page began.

    Attributes:
        published: Where it is read.
        version: Changes whenever something is published, so nothing remembered outlives it.
        building: Whether a build is at work: some relations may be older than others.
    """

    published: Published
    version: str
    building: bool = False

    def rows(self, name: str, **parameters: Value) -> list[Row]:
        """Ask a question, or take the remembered answer if nothing was published since.

        Args:
            name: Of a file in ``queries/``.
            parameters: Of the statement.

        Raises:
            NotAvailable: The database is down, not built, busy or too slow.
        """
        key = (name, self.version, repr(sorted(parameters.items())))
        answer = self.published.remembered(key)
        if answer is None:
            answer = self.published.ask(name, parameters)
            self.published.remember(key, answer)
        return answer


def _alive(session: connection) -> bool:
    """Whether the server still knows the session: it may have been started anew since."""
    try:
        with session.cursor() as cursor:
            cursor.execute("select 1")
        return True
    except psycopg2.Error:
        return False


def _open(parameters: Mapping[str, str]) -> connection:
    """Open a session that cannot write, as the reader's role where the user is its member."""
    session = connect({"application_name": "tablero", "connect_timeout": "5", **parameters})
    session.set_session(readonly=True, autocommit=True)
    with session.cursor() as cursor:
        cursor.execute(
            "select set_config('statement_timeout', %s, false), "
            "set_config('search_path', 'pg_catalog, pg_temp', false)",
            [TIMEOUT],
        )
        cursor.execute(
            "select from pg_catalog.pg_roles where rolname = %s and rolname <> current_user "
            "and pg_catalog.pg_has_role(oid, 'member')",
            [READER.name],
        )
        if cursor.rowcount:
            cursor.execute(f'set role "{READER.name}"')
    return session


def _explained(error: psycopg2.Error) -> NotAvailable:
    """The sentence for what PostgreSQL or libpq answered."""
    missing = (
        psycopg2.errors.UndefinedTable,
        psycopg2.errors.InvalidSchemaName,
        psycopg2.errors.UndefinedColumn,
        psycopg2.errors.ObjectNotInPrerequisiteState,  # made, but never filled
    )
    if isinstance(error, missing):
        return NotAvailable(*NOT_BUILT)
    if isinstance(error, psycopg2.errors.InsufficientPrivilege):
        return NotAvailable(*NO_RIGHTS)
    if isinstance(error, psycopg2.errors.QueryCanceled | psycopg2.errors.LockNotAvailable):
        return NotAvailable(*SLOW)
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        return NotAvailable(*DOWN)
    raise error
