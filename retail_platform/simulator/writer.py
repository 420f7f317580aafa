"""Delivering files: everything is written under temporary names and renamed at the end."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl

from retail_platform.simulator.config import SimulatorError

MANIFEST = "manifest.json"
STATE = "state.npz"
_PARTIAL = ".partial"
_LOCK = ".generate.lock"
_OWN_FILES = (
    "productos.*",
    "tiendas.*",
    "promociones.*",
    "ventas/ventas_*.*",
    "inventario/inventario_*.*",
    "devoluciones/devoluciones_*.*",
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
        frame.rechunk().write_parquet(path, compression="zstd", statistics=True)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise SimulatorError(f"cannot write {path.name}: {error}") from error


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
