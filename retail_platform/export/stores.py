"""Where a copy lies: a folder, or a prefix of a bucket, through pyarrow's file systems.

A file appears whole or not at all: an object store publishes an object when it is closed, a folder
gets it by a rename.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from retail_platform.errors import UserError

SCHEMES = ("s3", "gs")


@dataclass(frozen=True)
class Store:
    """A place for files.

    Attributes:
        shown: Its name for messages and statements, without options.
        files: The file system, seen from the place.
        folder: The folder itself, if it is one of this machine.
    """

    shown: str
    files: fs.FileSystem
    folder: Path | None = None

    def address(self, path: str) -> str:
        """The address of a file, for whatever reads it."""
        return f"{self.shown}/{path}"

    def read(self, path: str) -> bytes | None:
        """A file's content, none if there is none."""
        with self._told(f"read {path}"):
            try:
                with self.files.open_input_stream(path) as stream:
                    return bytes(stream.read())
            except FileNotFoundError:
                return None

    def write(self, path: str, content: pa.Buffer | bytes) -> None:
        """Put a file there, in place of an older one."""
        with self._told(f"write {path}"):
            if self.folder is None:
                with self.files.open_output_stream(path) as stream:
                    stream.write(content)
                return
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(f".{target.name}.new")
            try:
                with unfinished.open("wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                unfinished.replace(target)
            finally:
                unfinished.unlink(missing_ok=True)

    def remove(self, path: str) -> None:
        """Delete a file that the copy no longer names; one that is gone is no error."""
        with self._told(f"delete {path}", _NEW):
            try:
                self.files.delete_file(path)
            except FileNotFoundError:
                return
            if self.folder is not None:
                parent = (self.folder / path).parent
                if parent != self.folder and not any(parent.iterdir()):
                    parent.rmdir()

    def sizes(self, under: str) -> dict[str, int]:
        """Path -> bytes of the files in a folder and below, whoever wrote them."""
        with self._told(f"list {under}"):
            selector = fs.FileSelector(under, allow_not_found=True, recursive=True)
            found = self.files.get_file_info(selector)
        return {info.path: info.size for info in found if info.type == fs.FileType.File}

    @contextmanager
    def _told(self, doing: str, now: str | None = None) -> Iterator[None]:
        """Say what failed and what the copy is now, by default still the one before.

        Raises:
            UserError: In place of the file system's error.
        """
        now = now or _UNCHANGED
        try:
            yield
        except FileNotFoundError:
            raise UserError(
                f"Could not {doing} at {self.shown}: it is not there (the bucket, or the folder, "
                f"may have been removed). {now}"
            ) from None
        except OSError as error:
            reason = re.sub(r"\s+", " ", os.strerror(error.errno) if error.errno else str(error))
            hint = _HINTS.get(error.errno or 0, "Look at the place and at your rights there.")
            raise UserError(
                f"Could not {doing} at {self.shown}: {reason[:300]}. {hint} {now}"
            ) from None


_UNCHANGED = "The copy is the one before; repeat the export, it goes on from there."
_NEW = "The copy is the new one, and this file no part of it; the next export tries again."
_HINTS = {
    errno.ENOSPC: "The disk is full: free some space.",
    errno.EDQUOT: "The quota of the disk is used up.",
    errno.EACCES: "This user may not do that there: change its rights, or give another place.",
    errno.EPERM: "This user may not do that there: change its rights, or give another place.",
    errno.EROFS: "The file system is read-only: give another place.",
    errno.ENOTDIR: "A file stands where a folder is needed: give another place.",
}


def open_store(place: str) -> Store:
    """Open a place.

    Args:
        place: A folder, or ``s3://bucket/prefix`` (also ``gs://``), with pyarrow's options after
            a ``?`` (``region=``, ``endpoint_override=``, ``scheme=``).

    Raises:
        UserError: It is none, or holds a password.
    """
    scheme, separator, rest = place.partition("://")
    if not separator:
        if not place.strip() or place.startswith(tuple(f"{scheme}:" for scheme in SCHEMES)):
            raise UserError(f"--to got '{place}'; allowed: a folder, or s3://bucket/prefix.")
        folder = Path(place).resolve()
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{place} is a file; --to needs a folder or s3://bucket/prefix.")
        return Store(str(folder), fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem()), folder)
    if scheme not in SCHEMES:
        raise UserError(
            f"--to got '{scheme}://'; allowed: a folder, {', '.join(f'{s}://' for s in SCHEMES)}."
        )
    named = rest.partition("?")[0]
    if "@" in named.partition("/")[0] or re.search(":.*@", named):  # a secret may hold a slash
        raise UserError(
            "--to holds a key or password, which command lines and logs would show. Give it as "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a profile or an instance's role."
        )
    shown = place.partition("?")[0].rstrip("/")
    try:
        files, path = fs.FileSystem.from_uri(place)
    except (pa.ArrowInvalid, OSError, ValueError) as error:
        raise UserError(f"--to {shown} cannot be opened: {error}") from None
    return Store(shown, fs.SubTreeFileSystem(path, files))
