"""Runs dbt in processes of its own that start in a fraction of the time that the command needs.

A template process imports dbt once and warms its caches; each run is a fork of it (the standard
library's fork server). It is dbt's command line in a process that can be killed, as for a user.
What dbt parsed for one database serves the next one: only the names of the connection differ.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import pprint
import sys
from argparse import Namespace
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
        output: The file that its standard output goes to.
        errors: The file that its standard error goes to; by default the same.
    """

    process: BaseProcess
    output: Path
    errors: Path

    def text(self) -> str:
        """What it has written so far."""
        return self.output.read_text()

    def wait(self, seconds: int = RUN_TIMEOUT_SECONDS) -> int:
        """Wait until it ends and return its exit code; negative when a signal ended it.

        Raises:
            TimeoutError: If it does not end in time; it is killed.
        """
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.kill()
            raise TimeoutError(f"dbt still ran after {seconds} s:\n{self.text()}")
        return self.process.exitcode

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.kill()
        self.process.join()


def start_dbt(
    arguments: list[str],
    environment: Mapping[str, str],
    output: Path,
    errors: Path | None = None,
    parsed: Path | None = None,
) -> DbtProcess:
    """Start dbt.

    Args:
        arguments: Its command line.
        environment: Variables added to the environment.
        output: Where its standard output goes.
        errors: Where its standard error goes; by default the same file.
        parsed: A folder that keeps what dbt parsed of this project, for other databases.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "lifecycle.warm_dbt"])
    errors = errors or output
    output.touch()
    errors.touch()
    everything = os.environ | dict(environment)
    process = context.Process(target=_run, args=(arguments, everything, output, errors, parsed))
    process.start()
    return DbtProcess(process, output, errors)


def _run(
    arguments: list[str],
    environment: dict[str, str],
    output: Path,
    errors: Path,
    parsed: Path | None,
) -> None:
    from dbt.cli.main import cli

    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["dbt", *arguments]  # dbt looks for deprecated options there
    for path, descriptor in ((output, 1), (errors, 2)):
        # Appended: the two may be one file.
        with path.open("ab", buffering=0) as file:
            os.dup2(file.fileno(), descriptor)
    if not parsed:
        cli(arguments)
        return
    here = Path(environment["DBT_TARGET_PATH"]) / "partial_parse.msgpack"
    connection = _connection(arguments, environment)
    if connection and not here.exists():
        _take(parsed, connection, here)
    try:
        cli(arguments)
    finally:
        if connection and here.exists():
            _keep(parsed, connection, here)


def _connection(arguments: list[str], environment: dict[str, str]) -> dict[str, str] | None:
    """Name of the database and dbt's hash of the connection; None where dbt will say what fails."""
    from dbt.config.runtime import load_profile
    from dbt.flags import set_flags
    from dbt_common.context import set_invocation_context

    set_invocation_context(environment)
    folder = environment["DBT_PROFILES_DIR"]
    set_flags(Namespace(PROFILES_DIR=folder, LOG_CACHE_EVENTS=False))
    target = arguments[arguments.index("--target") + 1]
    project = arguments[arguments.index("--project-dir") + 1]
    try:
        credentials = load_profile(project, {}, target_override=target).credentials
    except Exception:  # a wrong profile is what some tests are about
        return None
    # As in dbt.parser.manifest.ManifestLoader.build_manifest_state_check.
    text = pprint.pformat(sorted(credentials.connection_info()))
    return {
        "database": credentials.database,
        "hash": hashlib.sha256(text.encode()).hexdigest(),
        "target": target,
    }


def _keep(parsed: Path, connection: dict[str, str], here: Path) -> None:
    name = parsed / f"{connection['target']}.json"
    if not name.exists() and connection["hash"].encode() in (text := here.read_bytes()):
        parsed.mkdir(exist_ok=True)
        (parsed / f"{connection['target']}.msgpack").write_bytes(text)
        name.write_text(json.dumps(connection))


def _take(parsed: Path, connection: dict[str, str], here: Path) -> None:
    name = parsed / f"{connection['target']}.json"
    if not name.exists():
        return
    other = json.loads(name.read_text())
    # Names of one length, so that the text stays a valid msgpack.
    if len(other["database"]) != len(connection["database"]):
        return
    text = name.with_suffix(".msgpack").read_bytes()
    for key in ("database", "hash"):
        text = text.replace(other[key].encode(), connection[key].encode())
    here.parent.mkdir(parents=True, exist_ok=True)
    here.write_bytes(text)
