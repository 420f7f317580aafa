"""Readers that query in a loop beside a build, and a watcher that measures how long they wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from lifecycle.world import World
from retail_platform.postgres.connection import connect

# Longest wait of readers now, from the server's own clock: waitstart is when the wait began.
LOCK_WAITS = """
select coalesce(max(extract(epoch from clock_timestamp() - waitstart)), 0)::float
from pg_catalog.pg_locks
where not granted and pid = any(%s)
"""
SAMPLE_SECONDS = 0.005


@dataclass
class Observation:
    """What readers saw.

    Attributes:
        answers: Query name -> the distinct answers, each a tuple of rows.
        errors: What went wrong, which must be nothing.
        counts: Query name -> how often it was answered.
        longest_wait: The longest time that a reader was seen waiting for a lock, seconds.
        longest_stall: The longest time by which the watcher itself came late, seconds: how long
            this machine makes a ready process wait, whatever the locks.
    """

    answers: dict[str, set[tuple]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    longest_wait: float = 0.0
    longest_stall: float = 0.0


class Waits(Protocol):
    """What a watcher measures, in seconds, as of `Observation`."""

    longest_wait: float
    longest_stall: float


def watch(
    parameters: Mapping[str, str], query: str, whose: list, stop: threading.Event, seen: Waits
) -> None:
    """Measure how long readers wait for locks, until told to stop.

    Args:
        parameters: Of the server, libpq's.
        query: Tells the longest wait now, in seconds, of those given by its one parameter.
        whose: That parameter.
        stop: Set when it is over.
        seen: Where the longest of all goes.
    """
    with closing(connect(parameters)) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            while not stop.is_set():
                began = time.monotonic()
                cursor.execute(query, (whose,))
                ((wait,),) = cursor.fetchall()
                time.sleep(SAMPLE_SECONDS)
                late = time.monotonic() - began - SAMPLE_SECONDS
                seen.longest_wait = max(seen.longest_wait, wait)
                seen.longest_stall = max(seen.longest_stall, late)


@contextmanager
def running(threads: Sequence[threading.Thread], stop: threading.Event) -> Iterator[None]:
    """Start threads, and when the block ends, however it does, stop them and wait for them.

    Args:
        threads: Not started yet.
        stop: What tells them that it is over.
    """
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def readers(world: World, queries: Mapping[str, str], number: int = 2) -> Iterator[Observation]:
    """Query in a loop from several connections until the block ends.

    Args:
        world: Where to read.
        queries: Name -> a query.
        number: How many connections.
    """
    seen = Observation(answers={name: set() for name in queries}, counts=dict.fromkeys(queries, 0))
    stop, lock = threading.Event(), threading.Lock()
    sessions = [connect(world.database.parameters) for _ in range(number)]
    pids = [session.info.backend_pid for session in sessions]

    def read(shift: int) -> None:
        session = sessions[shift]
        session.autocommit = True
        names = list(queries)[shift:] + list(queries)[:shift]
        with closing(session), session.cursor() as cursor:
            while not stop.is_set():
                for name in names:
                    try:
                        cursor.execute(queries[name])
                        answer = tuple(cursor.fetchall())
                    except Exception as error:  # noqa: BLE001 - any error of a reader is a finding
                        with lock:
                            seen.errors.append(f"{name}: {type(error).__name__} {error}")
                        if session.closed:
                            return
                        continue
                    with lock:
                        seen.answers[name].add(answer)
                        seen.counts[name] += 1
                time.sleep(0.002)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(number)]
    watched = (world.database.parameters, LOCK_WAITS, pids, stop, seen)
    threads.append(threading.Thread(target=watch, args=watched))
    with running(threads, stop):
        yield seen
