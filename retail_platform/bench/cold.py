"""Cold starts: the server is restarted with its files out of the operating system's cache."""

from __future__ import annotations

import os
from pathlib import Path

from retail_platform.postgres.server import LocalServer


def restart_cold(server: LocalServer) -> None:
    """Stop the server, drop its files from the system's cache, and start it.

    Only these files are dropped (``posix_fadvise``), so other programs on the machine keep their
    cache, and no special rights are needed. What caches below the system (a virtual machine's
    host, a disk's own memory) stays warm: a cold run here is the fastest of cold runs.

    Args:
        server: The embedded server.
    """
    server.stop()
    for path in server.data.rglob("*"):
        if path.is_file():
            _drop_from_cache(path)
    server.start()


def can_drop_cache() -> bool:
    """Whether the system offers it: Linux does, macOS does not."""
    return hasattr(os, "posix_fadvise")


def _drop_from_cache(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        # Pages that are not yet on the disk cannot be dropped.
        os.fdatasync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)
