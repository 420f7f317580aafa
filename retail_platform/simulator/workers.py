"""Processes that work for the simulation, and how their results come back."""

import os
import pickle
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from retail_platform.simulator.config import SimulatorError

MAX_WORKERS = 64


def keep(folder: Path, function: Callable[..., Any], *arguments: Any) -> Path:
    """In a worker: call a function and keep what it returns in a file, for `take`.

    A pool waits forever for the rest of a result whose worker is killed while sending it (CPython,
    concurrent.futures); the name of a file is sent at once.
    """
    result = pickle.dumps(function(*arguments), protocol=pickle.HIGHEST_PROTOCOL)
    path = folder / f"{uuid.uuid4().hex}.pickle"
    try:
        path.write_bytes(result)
    except OSError as error:
        raise SimulatorError(f"cannot write into {folder}: {error.strerror}") from error
    return path


def take(kept: Future[Path]) -> Any:
    """Wait for what `keep` kept, and remove its file."""
    path = kept.result()
    result = pickle.loads(path.read_bytes())
    path.unlink()
    return result


class _InlineExecutor(Executor):
    """Runs a call when it is submitted, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the call and return its finished future."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@contextmanager
def executor(workers: int) -> Iterator[Executor]:
    """A pool of fresh processes with one thread each, or this process for one worker."""
    if workers == 1:
        yield _InlineExecutor()
        return
    for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_follow_the_caller
    )
    try:
        yield pool
    except BrokenProcessPool as error:
        raise SimulatorError(
            "a worker was killed, perhaps for want of memory; try again, or with --workers 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _follow_the_caller() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the caller, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_after_the_caller, daemon=True).start()


def _exit_after_the_caller() -> None:
    """Wait for the calling process: one that was killed cannot stop its workers."""
    caller = parent_process()
    if caller is not None:
        caller.join()
        os._exit(1)
