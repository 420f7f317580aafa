"""Delivering files: everything is written under temporary names and renamed at the end."""

import fcntl
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl

from retail_platform.manifests import MANIFEST, WORLD_FILES, FileEntry
from retail_platform.simulator.config import SimulatorError

STATE = "state.npz"
DAY_COLUMNS = {
    "ventas": "fecha_venta",
    "inventario": "fecha",
    "devoluciones": "fecha_devolucion",
    "pedidos": "fecha_pedido",
}
"""The tables that come month by month, and the column that says which month."""
_PARTIAL = ".partial"
_LOCK = ".generate.lock"
_OWN_FILES = (
    "productos.*",
    "tiendas.*",
    "promociones.*",
    "ventas/ventas_*.*",
    "inventario/inventario_*.*",
    "devoluciones/devoluciones_*.*",
    "pedidos/pedidos_*.*",
    MANIFEST,
    STATE,
)


def month_file(table: str, day: date) -> str:
    """Relative name of the file that holds a table's month."""
    return f"{table}/{table}_{day:%Y%m}.parquet"


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame so that equal rows give equal bytes, however the frame was put together.

    Raises:
        SimulatorError: The file cannot be written; polars has no error of its own for a full disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Opened here, so that a folder may have any name: polars takes brackets for a pattern.
        with path.open("wb") as file:
            frame.rechunk().write_parquet(file, compression="zstd", statistics=True)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise SimulatorError(f"cannot write {path.name}: {error}") from error


def read_parquet(path: Path) -> pl.DataFrame:
    """Read a file of the simulator, whatever its folder is called."""
    with path.open("rb") as file:
        return pl.read_parquet(file)


def describe_files(folder: Path) -> dict[str, FileEntry]:
    """What the manifest says of the files of a folder.

    Args:
        folder: Of one world, without its manifest.

    Returns:
        By name relative to the folder. A file without days, or of broken text, has none.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): _describe(path) for path in paths}


def _describe(path: Path) -> FileEntry:
    entry: FileEntry = {"sha256": digest_of(path)}
    if path.suffix == ".csv":
        entry["rows"] = path.read_bytes().count(b"\n") - 1
    elif path.suffix == ".parquet":
        day = DAY_COLUMNS.get(path.parent.name)
        with path.open("rb") as file:
            values = pl.read_parquet(file, columns=[day] if day else None).to_series()
        entry["rows"] = len(values)
        if day and len(values):
            entry |= {"first_day": str(values.min()), "last_day": str(values.max())}
    return entry


def digest_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def foreign_files(folder: Path, files: Mapping[str, FileEntry]) -> list[str]:
    """What in a folder is not of the world that its manifest tells of.

    Args:
        folder: A delivered folder.
        files: From its manifest.

    Returns:
        What is wrong, one sentence a file: missing, other bytes, or not listed though it bears a
        name of the simulator's.
    """
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    problems = [f"{name} is missing" for name in sorted(files.keys() - found)]
    for name in sorted(files.keys() & found):
        if digest_of(folder / name) != files[name]["sha256"]:
            problems.append(f"{name} has other bytes than its manifest says")
    unlisted = sorted(name for name in found - files.keys() if WORLD_FILES.fullmatch(name))
    return problems + [f"{name} is not in the manifest" for name in unlisted]


@contextmanager
def delivery(output: Path, *, replace_all: bool) -> Iterator[Path]:
    """Give a folder to write into, and move its files into ``output`` if all went well.

    Args:
        output: Final folder.
        replace_all: Whether earlier files of a simulation that are not written again are removed.

    Raises:
        SimulatorError: The folder cannot be written, or another run is writing into it.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        lock = (output / _LOCK).open("w")
    except OSError as error:
        raise SimulatorError(f"cannot write into {output}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SimulatorError(f"another run is writing into {output}; wait for it") from error
        partial = output / _PARTIAL
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
            _publish(partial, output, replace_all=replace_all)
        except OSError as error:
            raise SimulatorError(f"cannot write into {output}: {error.strerror}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _publish(partial: Path, output: Path, *, replace_all: bool) -> None:
    """Rename the new files into place; the manifest goes first and comes last."""
    new = sorted(path.relative_to(partial) for path in partial.rglob("*") if path.is_file())
    if replace_all:
        (output / MANIFEST).unlink(missing_ok=True)
        for pattern in _OWN_FILES:
            for path in output.glob(pattern):
                if path.relative_to(output) not in new:
                    path.unlink()
    for name in sorted(new, key=lambda path: path.name == MANIFEST):
        target = output / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (partial / name).replace(target)
