"""The whole job at full scale on a stand-in for a db.t3.micro; figures in docs/rds.md."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from conftest import run_dbt, run_script
from rds_standin import (
    INSTANCE_MEMORY,
    Authority,
    MemoryLimit,
    RdsDatabase,
    Standin,
    start_standin,
)

from retail_platform.postgres.binaries import find_binaries
from retail_platform.postgres.connection import connect

MIB, GIB = 1024**2, 1024**3
STORAGE = 20 * GIB
SALE_LINES = 12_900_000
SAMPLE_SECONDS = 2.0


@dataclass
class Usage:
    """What a step took.

    Attributes:
        step: Its name.
        seconds: Wall time.
        temporary: Bytes of temporary files.
        wal: Bytes of WAL.
        memory: Peak of the server's own memory in bytes, shared memory counted once, page cache
            not counted.
        storage: Peak of the data folder in bytes, WAL and temporary files included.
    """

    step: str
    seconds: float = 0.0
    temporary: int = 0
    wal: int = 0
    memory: int = 0
    storage: int = 0


@contextmanager
def measured(step: str, database: RdsDatabase, found: list[Usage]) -> Iterator[None]:
    """Measure the server while a step runs."""
    usage, ended = Usage(step), threading.Event()

    def watch() -> None:
        while True:
            usage.memory = max(usage.memory, _memory(database.standin))
            usage.storage = max(usage.storage, _size(database.server.data))
            if ended.wait(SAMPLE_SECONDS):
                return

    watcher = threading.Thread(target=watch)
    before, started = _counters(database), time.monotonic()
    watcher.start()
    try:
        yield
    finally:
        usage.seconds = time.monotonic() - started
        ended.set()
        watcher.join()
    after = _counters(database)
    usage.temporary, usage.wal = after[0] - before[0], after[1] - before[1]
    found.append(usage)


def _counters(database: RdsDatabase) -> tuple[int, int]:
    ((temporary, wal),) = database.query(
        "select temp_bytes, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint "
        "from pg_stat_database where datname = current_database()"
    )
    return temporary, wal


def _memory(standin: Standin) -> int:
    postmaster = psutil.Process(standin.server.status().pid)
    total = 0
    for process in (postmaster, *postmaster.children()):
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:
            continue
    return total


def _table(found: list[Usage]) -> str:
    lines = [
        "| step | time | temporary files | WAL | server's memory | storage |",
        "|---" * 6 + "|",
    ]
    lines += [
        f"| {u.step} | {u.seconds / 60:.1f} min | {u.temporary / MIB:,.0f} MB "
        f"| {u.wal / GIB:.2f} GB | {u.memory / MIB:,.0f} MB | {u.storage / GIB:.2f} GB |"
        for u in found
    ]
    return "\n".join(lines)


@pytest.fixture
def micro(tmp_path: Path) -> Iterator[tuple[Standin, MemoryLimit | None]]:
    folder = Path(tempfile.mkdtemp(prefix="retail-micro-"))
    folder.chmod(0o755)
    authority = Authority.create(tmp_path / "authority")
    standin = start_standin(folder, find_binaries(major=15), authority)
    limit = MemoryLimit.create(INSTANCE_MEMORY)
    try:
        if limit:
            limit.add(standin.server)
        yield standin, limit
    finally:
        standin.server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        if limit:
            limit.remove()


@pytest.mark.full
def test_five_years_fit_a_micro_instance_and_a_day_is_cheap(
    micro: tuple[Standin, MemoryLimit | None], tmp_path: Path
) -> None:
    standin, limit = micro
    database = standin.create_database()
    data, found = tmp_path / "data", list[Usage]()

    def generate(end_date: str) -> None:
        run_script(
            *["generate.py", "--scale", "1", "--seed", "20240101", "--quiet", "--keep"],
            *["--end-date", end_date, "--output", str(data)],
        )

    generate("2025-12-30")
    loader = database.environment_of("retail_loader")
    with measured("load of five years", database, found):
        run_script("load.py", "--target", "rds", str(data), env=loader)
    with measured("dbt build of five years", database, found):
        run_dbt("build", database=database)
    ((lines,),) = database.query("select count(*) from retail.fact_ventas")
    size = database.query("select pg_database_size(current_database())")[0][0]

    generate("2025-12-31")
    with measured("load of a day", database, found):
        run_script("load.py", "--target", "rds", str(data), env=loader)
    with measured("dbt build of a day", database, found):
        run_dbt("build", database=database)
    with measured("dbt build without news", database, found):
        run_dbt("build", database=database)

    limited = f"{INSTANCE_MEMORY // MIB} MB by a control group" if limit else "none"
    print(
        f"\n{_table(found)}\n\n{lines:,} sale lines; database {size / GIB:.2f} GB; limit: {limited}"
    )
    assert lines >= SALE_LINES
    assert limit is None or limit.killed() == 0
    assert max(usage.memory for usage in found) < INSTANCE_MEMORY
    assert max(usage.storage for usage in found) < 0.75 * STORAGE
    first_build, day_build = found[1].seconds, found[3].seconds
    assert day_build < first_build / 3
    with closing(connect(standin.parameters("retail_reader", database.name))) as reader:
        with reader.cursor() as cursor:
            cursor.execute("select max(fecha)::text from retail.mv_daily_sales_summary")
            assert cursor.fetchone() == ("2025-12-31",)
