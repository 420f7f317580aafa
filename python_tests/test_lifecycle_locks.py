"""Readers never wait for a build, and a build never waits for readers for ever."""

import logging
import time
from contextlib import closing

import pytest
from lifecycle.dbt_process import DbtProcess
from lifecycle.readers import Observation, readers
from lifecycle.world import World

pytest_plugins = ["lifecycle.fixtures"]


# What a reader may wait for a lock, seconds: the bound.
LONGEST_WAIT = 0.1

MONTHS = {
    "fact_ventas": "date_trunc('month', fecha)::date",
    "agg_ventas_dia": "date_trunc('month', fecha)::date",
    "mv_ventas_mes": "mes",
    "resumen": "mes",
}
QUERIES = {
    name: f"select {month}::text, sum(importe)::text from retail.{name} group by 1 order by 1"
    for name, month in MONTHS.items()
} | {"dim_tienda": "select 'todas', count(*)::text from retail.dim_tienda"}


class Published:
    """The states of each month that a build ever published, by relation."""

    def __init__(self, world: World) -> None:
        """Start with what is published now."""
        self.world = world
        self.states: set[tuple] = set()
        self.add()

    def add(self) -> None:
        """Take what is published now, after a build."""
        for name, query in QUERIES.items():
            self.states |= {(name, *row) for row in self.world.query(query)}

    def check(self, seen: Observation) -> None:
        """Each month that a reader saw is a published state, and no month was missing."""
        for name, answers in seen.answers.items():
            assert seen.counts[name] > 0
            for answer in answers:
                assert len(answer) >= (1 if name == "dim_tienda" else 3), f"{name}: {answer}"
                for row in answer:
                    assert (name, *row) in self.states, f"{name}: {row} was never published"


def build_in_every_way(world: World, published: Published) -> None:
    """A daily build, a full rebuild, changed SQL, changed indexes, a swapped view."""
    world.deliver("2024-01-01", rows=7)
    world.deliver("2024-04-01", rows=7)
    world.dbt("run")
    published.add()
    world.dbt("run", "--full-refresh")
    world.edit("stg_ventas.sql", "    importe\n", "    importe + 1 as importe\n")
    world.edit("mv_ventas_mes.sql", "true}", "true}, {'columns': ['ventas']}")
    world.edit("fact_ventas.sql", "['tienda_id', 'fecha']", "['tienda_id']")
    world.edit("resumen.sql", "sum(ventas)", "max(ventas)")
    world.dbt("run")
    published.add()
    world.edit("mv_ventas_mes.sql", "indexes=", "on_dependants='rebuild',\n    indexes=")
    world.edit("mv_ventas_mes.sql", "sum(importe)", "sum(importe + 1)")
    world.dbt("run")
    published.add()


def check_waits(seen: Observation) -> None:
    """No wait above the bound that the locks explain and the machine's own stalls do not."""
    finding = (
        f"{sum(seen.counts.values())} answers; a reader waited {1000 * seen.longest_wait:.0f} ms"
        f" for a lock, the machine itself stalled for {1000 * seen.longest_stall:.0f} ms at most"
    )
    logging.getLogger(__name__).info(finding)
    assert seen.longest_wait <= LONGEST_WAIT + seen.longest_stall, finding


def test_readers_see_published_states_only_and_do_not_wait(world: World):
    published = Published(world)
    with readers(world, QUERIES) as seen:
        build_in_every_way(world, published)
    assert seen.errors == []
    published.check(seen)
    check_waits(seen)


@pytest.mark.full
def test_many_readers_beside_many_builds(world: World):
    published = Published(world)
    with readers(world, QUERIES, number=6) as seen:
        for number in range(10):
            month = f"2024-0{1 + number % 6}-01"
            world.deliver(month, rows=3000)
            world.dbt("run")
            published.add()
            world.dbt("run", "--full-refresh")
    assert seen.errors == []
    published.check(seen)
    check_waits(seen)


def test_a_build_gives_up_on_a_long_reader_and_changes_nothing(world: World):
    world.deliver("2024-01-01", rows=7)
    before = world.row_hashes()["fact_ventas"], world.partitions()
    with closing(world.database.connect()) as long_reader, long_reader.cursor() as cursor:
        cursor.execute("select count(*) from retail.fact_ventas")
        text = " ".join(
            world.refuse("run", "--select", "fact_ventas", lock_attempts_for="1 second").split()
        )
        assert "fact_ventas_p202401: no lock within 1 second, some session reads" in text
        assert "raise the var lock_attempts_for" in text
        assert (world.row_hashes()["fact_ventas"], world.partitions()) == before
    world.dbt("run", "--select", "fact_ventas")
    assert world.value("select count(*) from retail.fact_ventas") == 187
    assert world.leftovers() == []


def test_a_build_lets_readers_pass_while_it_waits_and_ends_when_it_can(world: World):
    world.deliver("2024-01-01", rows=7)
    published = Published(world)
    with closing(world.database.connect()) as long_reader, long_reader.cursor() as cursor:
        cursor.execute("select count(*) from retail.fact_ventas")
        with readers(world, {"fact_ventas": QUERIES["fact_ventas"]}) as seen:
            run = world.start("run", "--select", "fact_ventas")
            wait_for_attempts(world, 3)
            long_reader.rollback()
            assert run.wait() == 0, run.text()
    published.add()
    assert seen.errors == []
    published.check(seen)
    check_waits(seen)
    assert world.value("select count(*) from retail.fact_ventas") == 187


def wait_for_attempts(world: World, number: int) -> None:
    """Wait until a build has been seen waiting for its lock that many times anew."""
    began: set[object] = set()
    deadline = time.monotonic() + 60
    while len(began) < number:
        assert time.monotonic() < deadline, "no build waited for the lock of the table"
        began |= {
            start
            for (start,) in world.query(
                "select waitstart from pg_catalog.pg_locks"
                " where not granted and mode = 'AccessExclusiveLock' and waitstart is not null"
            )
        }
        time.sleep(0.005)


def test_the_watcher_notices_a_lock_that_is_held(world: World):
    # What the other tests rest on: a wait that is there is seen, in its whole length.
    with readers(world, {"fact_ventas": QUERIES["fact_ventas"]}) as seen:
        world.query("lock table retail.fact_ventas in access exclusive mode; select pg_sleep(1)")
    assert seen.longest_wait > 0.5


READS_STORES = """where {{ pg_lifecycle.partition_filter('fecha') }}
    and tienda_id in (select tienda_id from {{ ref('dim_tienda') }})"""


def locks_while_it_waits(world: World, run: DbtProcess, waiting: str) -> set[str]:
    """Locks on published relations that a build has been granted while it runs a statement."""
    deadline = time.monotonic() + 60
    held: set[str] = set()
    seen = 0
    while seen < 10:
        assert run.process.is_alive() and time.monotonic() < deadline, run.text()
        rows = world.query(
            """
            select array(
                select relation::regclass || ' ' || mode from pg_catalog.pg_locks
                inner join pg_catalog.pg_class on pg_class.oid = relation
                where pg_locks.pid = pg_stat_activity.pid and granted
                    and relnamespace = 'retail'::regnamespace
            )
            from pg_catalog.pg_stat_activity
            where application_name = 'dbt' and state = 'active' and query like %s
            """,
            f"%{waiting}%",
        )
        for (locks,) in rows:
            seen += 1
            held |= set(locks)
        time.sleep(0.02)
    return held


def test_a_build_that_waits_holds_nothing_that_others_need(world: World):
    """Else it is half of a deadlock: exchanges wait for milliseconds at a time, again and again."""
    world.edit(
        "fact_ventas.sql", "where {{ pg_lifecycle.partition_filter('fecha') }}", READS_STORES
    )
    build = ("run", "--select", "fact_ventas")
    with closing(world.database.connect()) as other, other.cursor() as cursor:
        cursor.execute("""select pg_advisory_lock(hashtext('"retail"."fact_ventas"'), -1)""")
        run = world.start(*build)
        assert locks_while_it_waits(world, run, "$lock$") == set()
    assert run.wait() == 0, run.text()

    world.query("drop table retail.fact_ventas cascade")
    with closing(world.database.connect()) as other, other.cursor() as cursor:
        cursor.execute("lock table retail.dim_tienda in share row exclusive mode")
        text = world.refuse(*build, lock_attempts_for="1 second")
        assert '"retail"."fact_ventas": no lock within 1 second' in text
        run = world.start(*build)
        assert locks_while_it_waits(world, run, "$retry$") == set()
        other.rollback()
    assert run.wait() == 0, run.text()
    assert len(world.partitions()) == 3
