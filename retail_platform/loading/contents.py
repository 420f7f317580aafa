"""The bytes of a file: opened once, hashed as they are read, never taken for others.

A file may be rewritten, truncated, replaced or removed while it is loaded. What is loaded is what
was read through one open file, and its hash is that of these bytes: if it is not the hash under
which the load would be entered in the ledger, the load is refused.
"""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

from retail_platform.loading.errors import LoadError

_BLOCK = 1 << 20
_FOLDER = "retail-load-"
_HELD = "held"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading.

    Raises:
        LoadError: It cannot be opened, or is no ordinary file; a pipe is not waited for.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise LoadError(f"cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise LoadError("cannot be read: it is no ordinary file any more")
        yield file


class Hashed:
    """Reads a file from its beginning to its end and hashes what it reads."""

    def __init__(self, file: BinaryIO) -> None:
        """Take an open file at its beginning."""
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, all that are left if negative."""
        block = self._file.read(size)
        self._digest.update(block)
        self.size += len(block)
        return block

    def finish(self) -> str:
        """Read what is left and return the hexadecimal SHA-256 of the whole."""
        while self.read(_BLOCK):
            pass
        return self._digest.hexdigest()


def sha256(path: Path) -> tuple[str, int]:
    """Hexadecimal SHA-256 of a file's bytes, and their number.

    Raises:
        LoadError: The file cannot be read.
    """
    with opened(path) as file:
        hashed = Hashed(file)
        try:
            return hashed.finish(), hashed.size
        except OSError as error:
            raise LoadError(f"cannot be read: {error.strerror}") from error


def refuse_other_bytes(found: str, expected: str | None) -> None:
    """Refuse bytes that are not those whose hash was looked up in the ledger.

    Args:
        found: Hash of the bytes that were read.
        expected: Hash taken before; None if there is none to keep to.
    """
    if expected is not None and found != expected:
        raise LoadError(
            "the file was changed while it was being loaded, and nothing of it was kept: load it "
            "again when it is complete (let deliveries arrive under another name and rename them)"
        )


@contextmanager
def private_copy(path: Path, expected: str | None) -> Iterator[Path]:
    """Copy a file for a reader that maps it into memory or opens it several times.

    The copy stays as it is whatever happens to the file, and has a plain name: polars takes ``*``
    and brackets in a name for a pattern.

    Args:
        path: The file.
        expected: Its hash, if it is known.

    Raises:
        LoadError: The file cannot be read or copied, or its hash is another.
    """
    folder, held = _own_folder()
    try:
        copy = folder / "file"
        with opened(path) as file, copy.open("wb") as target:
            hashed = Hashed(file)
            try:
                while block := hashed.read(_BLOCK):
                    target.write(block)
                target.flush()
            except OSError as error:
                raise LoadError(
                    f"cannot be copied into {folder.parent}: {error.strerror}; TMPDIR names "
                    "another place"
                ) from error
            refuse_other_bytes(hashed.finish(), expected)
        yield copy
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        held.close()


def _own_folder() -> tuple[Path, IO[bytes]]:
    """A folder for copies, and the file in it whose lock says that this process needs it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_FOLDER))
        with suppress(FileNotFoundError):
            held = (folder / _HELD).open("wb")
            fcntl.flock(held, fcntl.LOCK_EX)
            if (folder / _HELD).exists():
                return folder, held
            held.close()  # taken for abandoned before it was locked


def remove_abandoned() -> None:
    """Remove the copies of loads that were killed: nobody holds their lock any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        with suppress(OSError):
            # Only one's own: /tmp is everybody's.
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            with (folder / _HELD).open("rb+") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
