"""Runs dbt in processes of its own that start in a fraction of the time that the command needs.

A template process imports dbt once and warms its caches; each run is a fork of it (the standard
library's fork server). It is dbt's command line in a process that can be killed, as for a user.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

RUN_TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class DbtProcess:
    """A dbt run under way.

    Attributes:
        process: Its process.
        output: The file that its standard output and error go to.
    """

    process: BaseProcess
    output: Path

    def text(self) -> str:
        """What it has written so far."""
        return self.output.read_text()

    def wait(self) -> int:
        """Wait until it ends and return its exit code; negative when a signal ended it.

        Raises:
            TimeoutError: If it does not end in time; it is killed.
        """
        self.process.join(RUN_TIMEOUT_SECONDS)
        if self.process.exitcode is None:
            self.kill()
            raise TimeoutError(f"dbt still ran after {RUN_TIMEOUT_SECONDS} s:\n{self.text()}")
        return self.process.exitcode

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.kill()
        self.process.join()


def start_dbt(arguments: list[str], environment: Mapping[str, str], output: Path) -> DbtProcess:
    """Start dbt.

    Args:
        arguments: Its command line.
        environment: Variables added to the environment.
        output: Where its output goes.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "lifecycle.warm_dbt"])
    output.touch()
    process = context.Process(target=_run, args=(arguments, dict(environment), output))
    process.start()
    return DbtProcess(process, output)


def _run(arguments: list[str], environment: dict[str, str], output: Path) -> None:
    from dbt.cli.main import cli

    os.environ.update(environment)
    with output.open("wb", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    cli(arguments)
