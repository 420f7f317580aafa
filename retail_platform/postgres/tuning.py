"""Settings of the embedded server, sized to the machine, each with its reason."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

MIB = 1024**2
GIB = 1024**3


@dataclass(frozen=True)
class Machine:
    """What the settings depend on.

    Attributes:
        memory: Memory that this process may use, bytes.
        cores: Cores that this process may use.
        shared_memory: Size of the shared memory file system, bytes; 0 if there is none.
    """

    memory: int
    cores: int
    shared_memory: int


@dataclass(frozen=True)
class Setting:
    """One line of the configuration file and the reason for it."""

    name: str
    value: str
    why: str


def this_machine() -> Machine:
    """Measure the machine, or the container when that is smaller."""
    memory = psutil.virtual_memory().total
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):
        path = Path("/sys/fs/cgroup") / limit
        text = path.read_text().strip() if path.is_file() else ""
        if text.isdigit():
            memory = min(memory, int(text))
    cores = len(psutil.Process().cpu_affinity()) if psutil.LINUX else os.cpu_count() or 1
    shared = psutil.disk_usage("/dev/shm").total if Path("/dev/shm").is_dir() else 0
    return Machine(memory=memory, cores=cores, shared_memory=shared)


def settings_for(machine: Machine, sockets: str = "") -> list[Setting]:
    """Choose the settings. None of them weakens durability: fsync and commits stay as they are.

    Args:
        machine: What to size for.
        sockets: Folder of the socket.

    Returns:
        The settings in the order in which they are written.
    """

    def size(share: float, least: int, most: int) -> str:
        return f"{min(max(int(machine.memory * share), least), most) // MIB}MB"

    workers = min(max(machine.cores // 2, 1), 4)
    return [
        Setting("listen_addresses", "127.0.0.1", "loopback only: nothing outside can connect"),
        Setting("unix_socket_directories", sockets, "the owner's way in, without a password"),
        Setting("password_encryption", "scram-sha-256", "the server keeps nothing to log in with"),
        Setting("max_connections", "100", "dbt, the loader, and the pools of a few BI tools"),
        Setting("shared_buffers", size(1 / 4, 128 * MIB, 4 * GIB), "a quarter of the memory"),
        Setting("effective_cache_size", size(0.6, 256 * MIB, 256 * GIB), "what the OS caches"),
        Setting(
            "work_mem", size(1 / 64, 16 * MIB, 64 * MIB), "a month sorts and hashes without files"
        ),
        Setting("maintenance_work_mem", size(1 / 16, 64 * MIB, 512 * MIB), "a month's index fits"),
        Setting("max_parallel_workers", str(machine.cores), "no more than there are cores"),
        Setting(
            "max_parallel_workers_per_gather",
            str(workers),
            "half the cores for one query: dbt runs several at a time",
        ),
        Setting("max_parallel_maintenance_workers", str(workers), "the same for index builds"),
        Setting(
            "dynamic_shared_memory_type",
            "posix" if machine.shared_memory >= 256 * MIB else "mmap",
            "files when /dev/shm is small (64 MB in containers): parallel queries would fail",
        ),
        Setting("max_wal_size", "4GB", "a full load and build trigger few forced checkpoints"),
        Setting("min_wal_size", "1GB", "WAL files are reused instead of created again"),
        Setting("checkpoint_timeout", "15min", "fewer full-page images; recovery takes longer"),
        Setting("random_page_cost", "1.1", "SSD or cache: a random read costs about a sequential"),
        Setting("jit", "off", "queries here last milliseconds, less than compiling them"),
        Setting(
            "max_locks_per_transaction", "256", "one query may lock all partitions and indexes"
        ),
        Setting("timezone", "UTC", "the same timestamps on every machine"),
        Setting("log_line_prefix", "%m [%p] %u@%d ", "who did what and when"),
        Setting("log_lock_waits", "on", "a reader that waits for a build is a bug to find"),
    ]


def configuration_text(settings: list[Setting], port: int) -> str:
    """The configuration file.

    Args:
        settings: From `settings_for`, possibly changed.
        port: TCP port.
    """
    lines = ["# Written by retail_platform.postgres at every start: changes here are lost."]
    lines += [f"{item.name} = '{item.value}'  # {item.why}" for item in settings]
    return "\n".join([*lines, f"port = {port}", ""])
