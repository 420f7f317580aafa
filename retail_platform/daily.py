"""The daily run: compare a share of the history, load what arrived, build what changed, report.

Each step is a command of its own, with the credentials of the role whose work it is. A failed step
is tried again, because a failover of RDS takes a minute or two and a step goes on where it stopped.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from retail_platform.errors import UserError
from retail_platform.loading.errors import CATALOGUE_REFUSED, LoadError
from retail_platform.loading.schema import DAILY_LOCK, ensure_tables
from retail_platform.postgres.connection import connect
from retail_platform.project import own_command, own_environment, require_project
from retail_platform.roles import LOADER, TRANSFORMER, Role
from retail_platform.targets import connection_parameters

PASSWORD_COMMAND = "RETAIL_PASSWORD_COMMAND"
# An IAM token is valid for 15 minutes, and dbt connects anew for every model.
REFRESH_SECONDS = 600.0

ROLES = (LOADER, TRANSFORMER)

# The variables with which a step connects as a role.
Credentials = Callable[[Role], dict[str, str]]

_LOG = logging.getLogger(__name__)


class Outcome(IntEnum):
    """How a daily run ended; the exit code of the command."""

    DONE = 0
    LOCKED = 10
    NO_CONNECTION = 11
    LOAD_FAILED = 12
    BUILD_FAILED = 13
    TESTS_FAILED = 14
    STALE = 15
    UNACCOUNTED = 16
    CATALOGUE_REFUSED = 17
    TAMPERED = 18


EXPLANATIONS = {
    Outcome.DONE: "done: everything loaded, built, tested and accounted for",
    Outcome.LOCKED: "nothing done: another daily run is at work",
    Outcome.NO_CONNECTION: "nothing done: the target cannot be used",
    Outcome.LOAD_FAILED: "some files were not loaded; what was loaded is built",
    Outcome.BUILD_FAILED: "some models were not built; they show their last good state",
    Outcome.TESTS_FAILED: "built, but data tests failed: look before you trust the numbers",
    Outcome.STALE: "built, but no new data arrived for too long",
    Outcome.UNACCOUNTED: "built, but rows delivered are not rows published plus rows refused",
    Outcome.CATALOGUE_REFUSED: "built, but rows of a catalogue were refused: their last good "
    "versions are published",
    Outcome.TAMPERED: "built, but published rows were not what was delivered, or not compared",
}


@dataclass(frozen=True)
class DailyRun:
    """What to run.

    Attributes:
        target: A target of profiles.yml.
        sources: Files and folders to load; files that were loaded before are left out.
        mapping: Mapping file of the loader.
        report: HTML file of the report.
        attempts: How often a step is tried.
        wait: Seconds between two attempts.
    """

    target: str
    sources: Sequence[Path]
    mapping: Path | None = None
    report: Path | None = None
    attempts: int = 2
    wait: float = 90.0


def run_daily(run: DailyRun) -> Outcome:
    """Run all steps.

    Args:
        run: What to run.

    Returns:
        The first thing that went wrong, or that nothing did. A file that is refused does not keep
        the others from being built; a failed build leaves nothing to report on.
    """
    project = require_project()
    with ExitStack() as stack:
        try:
            variables = stack.enter_context(credentials(run.target))
        except UserError as error:
            _LOG.error("%s", error)
            return Outcome.NO_CONNECTION
        failure = stack.enter_context(_lock(run.target, variables))
        return failure if failure is not None else _Steps(run, variables, project).run_all()


@contextmanager
def credentials(target: str, refresh: float = REFRESH_SECONDS) -> Iterator[Credentials]:
    """How each role connects while the daily run lasts.

    - What the command in ``RETAIL_PASSWORD_COMMAND`` prints, an IAM token, say. It is kept in a
      password file of libpq, which every new connection reads, and made anew before it expires.
    - Without a command, RETAIL_LOADER_PASSWORD and RETAIL_TRANSFORMER_PASSWORD.
    - Without these, the target's own user does everything.

    Args:
        target: A target of profiles.yml.
        refresh: Seconds after which passwords are made anew.

    Yields:
        The variables of a role.

    Raises:
        UserError: If the command fails.
    """
    prefix = f"RETAIL_{target.upper()}"
    command = os.environ.get(PASSWORD_COMMAND)

    def user(role: Role) -> dict[str, str]:
        return {f"{prefix}_USER": role.name}

    if not command:

        def from_variables(role: Role) -> dict[str, str]:
            password = os.environ.get(role.password_variable or "")
            return user(role) | {f"{prefix}_PASSWORD": password} if password else {}

        yield from_variables
        return

    def write(path: Path) -> None:
        lines = [_password_line(role, _made_password(command, user(role))) for role in ROLES]
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)  # libpq ignores a file that others may read
        fresh.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
        fresh.replace(path)

    with tempfile.TemporaryDirectory(prefix="retail-daily-") as folder:
        path = Path(folder) / "passwords"
        write(path)
        ended = threading.Event()

        def keep_fresh() -> None:
            while not ended.wait(refresh):
                try:
                    write(path)
                except UserError as error:
                    _LOG.warning("%s; the old password is used as long as it lasts", error)

        refresher = threading.Thread(target=keep_fresh, daemon=True)
        refresher.start()
        try:
            yield lambda role: user(role) | {f"{prefix}_PASSWORD": "", "PGPASSFILE": str(path)}
        finally:
            ended.set()
            refresher.join()


def _made_password(command: str, user: Mapping[str, str]) -> str:
    made = subprocess.run(
        command,
        shell=True,
        env=os.environ | user,
        capture_output=True,
        encoding="utf-8",  # not the locale's, in which a password may not be written
        errors="surrogateescape",
        check=False,
    )
    if made.returncode != 0 or not made.stdout.strip():
        raise UserError(
            f"{PASSWORD_COMMAND} printed no password for {', '.join(user.values())} (exit code "
            f"{made.returncode}): {made.stderr.strip()}"
        )
    return made.stdout.strip()


def _password_line(role: Role, password: str) -> str:
    """A line of libpq's password file: host, port, database, user, password."""
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:{role.name}:{escaped}\n"


@contextmanager
def _lock(target: str, variables: Credentials) -> Iterator[Outcome | None]:
    """Hold a lock of the database, so that runs of two machines exclude each other too.

    A lock on a table, which readers have no right to take. It is given back when the session ends,
    however the run ends. After a failover it is gone, and dbt's own locks on each model remain.
    """
    own = variables(TRANSFORMER)
    try:
        parameters = connection_parameters(target, environment=os.environ | own)
        if "PGPASSFILE" in own:
            parameters["passfile"] = own["PGPASSFILE"]
        session = connect(parameters)
    except (UserError, psycopg2.OperationalError) as error:
        _LOG.error("%s", error)
        yield Outcome.NO_CONNECTION
        return
    with closing(session):
        try:
            free = _take(session)
        except (LoadError, psycopg2.Error) as error:
            _LOG.error("%s", str(error).strip())
            yield Outcome.NO_CONNECTION
            return
        yield None if free else Outcome.LOCKED


def _take(session: Connection) -> bool:
    """Lock the table of daily runs in a transaction that stays open; whether it was free.

    The transaction has neither a snapshot nor a number, so it holds no vacuum back.
    """
    ensure_tables(session)
    with session.cursor() as cursor:
        cursor.execute("set local idle_in_transaction_session_timeout = 0")
        try:
            cursor.execute(f"lock table {DAILY_LOCK} in exclusive mode nowait")
        except psycopg2.errors.LockNotAvailable:
            return False
    return True


@dataclass(frozen=True)
class _Steps:
    """The steps of one run.

    Attributes:
        daily: What to run.
        variables: How each role connects.
        project: The dbt project, in which every step works.
    """

    daily: DailyRun
    variables: Credentials
    project: Path

    def run_all(self) -> Outcome:
        for role in ROLES:
            if self._command(role, "db", "check") != 0:
                return Outcome.NO_CONNECTION
        # Before anything is loaded: what is published is then what the last build made, and a
        # dimension that the build is about to set right is still as somebody changed it.
        checked = self._check()
        outcomes = [self._load()] if self.daily.sources else []
        outcomes.append(self._build())
        if outcomes[-1] is not Outcome.BUILD_FAILED:
            outcomes += [self._freshness(), self._report()]
        outcomes.append(checked)
        return next((one for one in outcomes if one is not Outcome.DONE), Outcome.DONE)

    def _check(self) -> Outcome:
        failed = self._command(TRANSFORMER, "check", "--share")
        return Outcome.TAMPERED if failed else Outcome.DONE

    def _load(self) -> Outcome:
        arguments = [*map(str, self.daily.sources)]
        if self.daily.mapping:
            arguments += ["--mapping", str(self.daily.mapping)]
        failed = self._attempts(lambda: self._command(LOADER, "load", *arguments))
        return Outcome.LOAD_FAILED if failed else Outcome.DONE

    def _build(self) -> Outcome:
        results = Path(os.environ.get("DBT_TARGET_PATH") or self.project / "target")
        results /= "run_results.json"

        def build() -> int:
            results.unlink(missing_ok=True)
            # Unit tests try the SQL on made-up rows: they say nothing about a night's data.
            code = self._dbt("build", "--exclude-resource-type", "unit_test")
            # A failed data test fails again: nothing to wait for.
            return 0 if code == 0 or judge_build(results) is Outcome.TESTS_FAILED else code

        return Outcome.BUILD_FAILED if self._attempts(build) else judge_build(results)

    def _freshness(self) -> Outcome:
        return Outcome.STALE if self._dbt("source", "freshness") else Outcome.DONE

    def _report(self) -> Outcome:
        html = ["--html", str(self.daily.report)] if self.daily.report else []
        code = self._command(TRANSFORMER, "load", "--report", *html)
        refused = {0: Outcome.DONE, CATALOGUE_REFUSED: Outcome.CATALOGUE_REFUSED}
        return refused.get(code, Outcome.UNACCOUNTED)

    def _attempts(self, step: Callable[[], int]) -> bool:
        """Try a step until it works or the attempts are used up; whether it failed."""
        for attempt in range(1, self.daily.attempts + 1):
            if step() == 0:
                return False
            if attempt < self.daily.attempts:
                _LOG.warning("trying again in %.0f s", self.daily.wait)
                time.sleep(self.daily.wait)
        return True

    def _command(self, role: Role, *arguments: str) -> int:
        """A command of this package, as a process of its own with the role's credentials."""
        command = own_command(*arguments, "--target", self.daily.target)
        return _run(command, own_environment() | self.variables(role), self.project)

    def _dbt(self, *arguments: str) -> int:
        dbt = str(Path(sys.executable).parent / "dbt")
        command = [dbt, *arguments, "--target", self.daily.target]
        return _run(command, self.variables(TRANSFORMER), self.project)


def judge_build(results: Path) -> Outcome:
    """What a ``dbt build`` came to.

    Args:
        results: Its ``run_results.json``; missing when it did not get as far.
    """
    if not results.is_file():
        return Outcome.BUILD_FAILED
    found = {
        result["status"] for result in json.loads(results.read_text(encoding="utf-8"))["results"]
    }
    if "error" in found:
        return Outcome.BUILD_FAILED
    return Outcome.TESTS_FAILED if "fail" in found else Outcome.DONE


def _run(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> int:
    _LOG.info("%s", " ".join([Path(command[0]).name, *command[1:]]))
    # What arrives in the database must not depend on the shell that the run was started from.
    variables = os.environ | {"PGCLIENTENCODING": "UTF8"} | dict(environment)
    return subprocess.run(command, cwd=folder, env=variables, check=False).returncode
