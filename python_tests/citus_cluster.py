"""What the tests on a Citus cluster need: databases, readers by way of every node, kills."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg2
from conftest import PROJECT, Database
from lifecycle.readers import running, watch

from retail_platform.postgres.cluster import Cluster
from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import LocalServer

# Longest wait for a lock now of what some sessions asked, on the node that is asked.
LOCK_WAITS = """
select coalesce(max(extract(epoch from clock_timestamp() - waitstart)), 0)::float
from pg_catalog.pg_locks
inner join pg_catalog.pg_stat_activity using (pid)
where not granted and application_name = any(%s)
"""


def create_database(cluster: Cluster, name: str | None = None) -> Database:
    """Make a new database of the cluster, in place of one of that name."""
    name = name or f"citus_{uuid.uuid4().hex[:12]}"
    cluster.drop(name)
    cluster.prepare(name)
    folder = Path(tempfile.mkdtemp(prefix=f"retail-{name}-"))
    shutil.copy(PROJECT / "profiles.yml.example", folder / "profiles.yml")
    return Database(cluster.coordinator.parameters(name), cluster.coordinator, folder)


def placements(database: Database, schema: str = "retail") -> dict[str, str | None]:
    """Where the tables of a schema lie: 'reference', or the distribution column; None: local."""
    rows = database.query(
        "select c.relname::text, case when p.partmethod = 'n' then 'reference'"
        "  else column_to_column_name(p.logicalrelid, p.partkey) end"
        " from pg_class c left join pg_dist_partition p on p.logicalrelid = c.oid"
        " where c.relnamespace = %s::regnamespace and c.relkind in ('r', 'p')"
        "  and not c.relispartition",
        schema,
    )
    return dict(rows)


def kill(server: LocalServer) -> None:
    """SIGKILL to every process of a node, as when its machine goes down."""
    postmaster = psutil.Process(server.status().pid)
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: If it does not in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


@dataclass
class Seen:
    """What readers by way of all nodes saw.

    Attributes:
        answers: The distinct answers by node and query, each a tuple of rows.
        counts: How many answers.
        errors: What went wrong.
        longest_wait: Longest time that one of their backends waited for a lock, on any node.
        longest_stall: Longest time by which a watcher itself came late.
    """

    answers: dict[tuple[int, str], set[tuple]] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    longest_wait: float = 0.0
    longest_stall: float = 0.0


@contextmanager
def readers_of_every_node(
    cluster: Cluster, database: Database, queries: Mapping[str, str]
) -> Iterator[Seen]:
    """Query in a loop by way of each node until the block ends."""
    seen = Seen(counts=dict.fromkeys(range(len(cluster.nodes)), 0))
    name = database.parameters["dbname"]
    stop, lock = threading.Event(), threading.Lock()
    own_names: list[str] = []

    def read(number: int, session: psycopg2.extensions.connection) -> None:
        with closing(session), session.cursor() as cursor:
            while not stop.is_set():
                for query_name, query in queries.items():
                    try:
                        cursor.execute(query)
                        answer = tuple(cursor.fetchall())
                    except psycopg2.Error as error:
                        with lock:
                            seen.errors.append(f"node {number}, {query_name}: {error}")
                        if session.closed:
                            return
                        continue
                    with lock:
                        seen.answers.setdefault((number, query_name), set()).add(answer)
                        seen.counts[number] += 1
                time.sleep(0.01)

    threads = []
    for number, node in enumerate(cluster.nodes):
        session = connect(node.parameters(name))
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(
                "select set_config('application_name', %s, false), citus_backend_gpid()",
                [f"lector {number}"],
            )
            ((_, gpid),) = cursor.fetchall()
        # What a session asks of other nodes runs there under this name.
        own_names += [f"lector {number}", f"citus_internal gpid={gpid}"]
        threads.append(threading.Thread(target=read, args=(number, session)))
    threads += [
        threading.Thread(
            target=watch, args=(node.admin_parameters(name), LOCK_WAITS, own_names, stop, seen)
        )
        for node in cluster.nodes
    ]
    with running(threads, stop):
        yield seen
