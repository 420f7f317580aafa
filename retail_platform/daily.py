"""The daily run: compare a share of the history, load what arrived, build what changed, report.

Each step is a command of its own, with the credentials of the role whose work it is. A failed step
is tried again, because a failover of RDS takes a minute or two and a step goes on where it stopped;
a refused file is not, because it would be refused again.
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
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO

import psycopg2
from psycopg2.extensions import connection as Connection

from retail_platform.errors import USER_ERROR, UserError
from retail_platform.loading.errors import CATALOGUE_REFUSED, LoadError
from retail_platform.loading.schema import DAILY_LOCK, RUNS, ensure_tables
from retail_platform.postgres.connection import connect
from retail_platform.project import own_command, own_environment, require_project
from retail_platform.roles import LOADER, TRANSFORMER, Role
from retail_platform.runs import (
    EXPLANATIONS,
    Outcome,
    Run,
    begin,
    finish,
    new_log,
    tell_failure,
    write_metrics,
)
from retail_platform.targets import connection_parameters

PASSWORD_COMMAND = "RETAIL_PASSWORD_COMMAND"
# An IAM token is valid for 15 minutes, and dbt connects anew for every model.
REFRESH_SECONDS = 600.0

ROLES = (LOADER, TRANSFORMER)
STEPS = ("check", "load", "build", "freshness", "report")

# The variables with which a step connects as a role.
Credentials = Callable[[Role], dict[str, str]]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class DailyRun:
    """What to run.

    Attributes:
        target: A target of profiles.yml.
        sources: Files and folders to load; files that were loaded before are left out.
        mapping: Mapping file of the loader.
        report: HTML file of the report.
        metrics: File of the run's metrics.
        steps: Which of `STEPS`; an orchestrator may run them one by one.
        rebuild: First and last day of the months that are built again though nothing changed.
        attempts: How often a step is tried.
        wait: Seconds between two attempts.
    """

    target: str
    sources: Sequence[Path]
    mapping: Path | None = None
    report: Path | None = None
    metrics: Path | None = None
    steps: Sequence[str] = STEPS
    rebuild: tuple[date, date] | None = None
    attempts: int = 2
    wait: float = 90.0

    def missing(self) -> list[str]:
        """What is named and does not exist, and so would be noticed only in the night's middle."""
        read = [path for path in (*self.sources, self.mapping) if path and not path.exists()]
        written = [path.parent for path in (self.report, self.metrics) if path]
        return [
            *(f"{path} does not exist" for path in read),
            *(f"the folder {folder} does not exist" for folder in written if not folder.is_dir()),
        ]


def run_daily(daily: DailyRun) -> Outcome:
    """Run all steps; note, measure and tell how they ended.

    Args:
        daily: What to run.

    Returns:
        The first thing that went wrong, or that nothing did. A file that is refused does not keep
        the others from being built; a failed build leaves nothing to report on.
    """
    project, run = require_project(), Run()
    with _logged(Path(os.environ.get("DBT_LOG_PATH") or project / "logs")) as log:
        try:
            outcome = _run_locked(daily, run, project, log)
        except Exception:
            tell_failure(None, None, log)
            raise
        fine = outcome in (Outcome.DONE, Outcome.LOCKED)
        level = logging.INFO if fine else logging.ERROR
        _LOG.log(level, "%s (exit code %d)", EXPLANATIONS[outcome], outcome)
        if outcome is not Outcome.LOCKED:  # the first run tells of itself
            _tell(daily, run, outcome, log)
    return outcome


def _tell(daily: DailyRun, run: Run, outcome: Outcome, log: Path | None) -> None:
    """Write the metrics and raise the alarm; neither changes the outcome."""
    if run.ended is None:
        run.end(outcome)
    if daily.metrics:
        try:
            write_metrics(run, daily.metrics)
        except OSError as error:
            _LOG.warning("no metrics in %s: %s", daily.metrics, error.strerror)
    if outcome is not Outcome.DONE:
        tell_failure(outcome, daily.report if "report" in run.seconds else None, log)


def _run_locked(daily: DailyRun, run: Run, project: Path, log: Path | None) -> Outcome:
    missing = daily.missing()
    if missing:
        _LOG.error("%s: correct the command line, or mount what is missing", "; ".join(missing))
        return Outcome.NO_SUCH_PATH
    with ExitStack() as stack:
        try:
            variables = stack.enter_context(credentials(daily.target))
        except UserError as error:
            _LOG.error("%s", error)
            return Outcome.NO_CONNECTION
        failure = stack.enter_context(_lock(daily.target, variables))
        if failure is not None:
            return failure
        return _Steps(daily, variables, project, run, log).run_all()


@contextmanager
def _logged(folder: Path) -> Iterator[Path | None]:
    """Keep what this run says, and its steps, in a file of its own; the night goes on without."""
    try:
        path = new_log(folder)
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        _LOG.warning("no log is kept in %s: %s", folder, error.strerror)
        yield None
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield path
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


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
            f"{made.returncode}; run it by hand as the user of the timer, with "
            f"{' '.join(f'{name}={value}' for name, value in user.items())}): "
            f"{made.stderr.strip() or 'no message'}"
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
    try:
        session = _session(target, variables(TRANSFORMER))
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


def _session(target: str, own: Mapping[str, str]) -> Connection:
    """Connect as a role.

    Args:
        target: A target of profiles.yml.
        own: The variables of the role.
    """
    parameters = connection_parameters(target, environment=os.environ | own)
    if "PGPASSFILE" in own:
        parameters["passfile"] = own["PGPASSFILE"]
    return connect(parameters)


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
        run: Is filled with times and outcome.
        log: File that gets what the steps write; None for none.
    """

    daily: DailyRun
    variables: Credentials
    project: Path
    run: Run = field(default_factory=Run)
    log: Path | None = None

    def run_all(self) -> Outcome:
        for role in ROLES:
            if self._command(role, "db", "check") != 0:
                return Outcome.NO_CONNECTION
        self._note(begin)
        self.run.end(self._outcome())
        if self.run.number is not None:
            self._note(finish)
        return self.run.outcome

    def _outcome(self) -> Outcome:
        """Run the steps that are wanted; the first thing that went wrong."""
        # Before anything is loaded: what is published is then what the last build made, and a
        # dimension that the build is about to set right is still as somebody changed it.
        steps = {
            "check": self._check,
            "load": self._load,
            "build": self._build,
            "freshness": self._freshness,
            "report": self._report,
        }
        outcomes: dict[str, Outcome] = {}
        for name, step in steps.items():
            if name not in self.daily.steps or (name == "load" and not self.daily.sources):
                continue
            if outcomes.get("build") is Outcome.BUILD_FAILED:
                break
            with self.run.step(name):
                outcomes[name] = step()
        # What happened tonight is told before what the comparison of older months found.
        found = [*(outcomes[name] for name in outcomes if name != "check"), outcomes.get("check")]
        return next((one for one in found if one), Outcome.DONE)

    def _note(self, note: Callable[[Connection, Run], None]) -> None:
        """Write the run's row; a night without one is better than none."""
        try:
            with closing(_session(self.daily.target, self.variables(LOADER))) as session:
                note(session, self.run)
        except (UserError, psycopg2.Error) as error:
            _LOG.warning("this run is not noted in %s: %s", RUNS, str(error).strip())

    def _check(self) -> Outcome:
        failed = self._command(TRANSFORMER, "check", "--share")
        return Outcome.TAMPERED if failed else Outcome.DONE

    def _load(self) -> Outcome:
        arguments = [*map(str, self.daily.sources)]
        if self.daily.mapping:
            arguments += ["--mapping", str(self.daily.mapping)]
        failed = self._attempts(
            lambda: self._command(LOADER, "load", *arguments), hopeless=USER_ERROR
        )
        return Outcome.LOAD_FAILED if failed else Outcome.DONE

    def _build(self) -> Outcome:
        results = Path(os.environ.get("DBT_TARGET_PATH") or self.project / "target")
        results /= "run_results.json"
        again = []
        if self.daily.rebuild:
            days = [day.isoformat() for day in self.daily.rebuild]
            again = ["--vars", json.dumps({"rebuild_range": days})]

        def build() -> int:
            results.unlink(missing_ok=True)
            # Unit tests try the SQL on made-up rows: they say nothing about a night's data.
            code = self._dbt("build", "--exclude-resource-type", "unit_test", *again)
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

    def _attempts(self, step: Callable[[], int], hopeless: int | None = None) -> bool:
        """Try a step until it works or the attempts are used up; whether it failed.

        Args:
            step: Returns its exit code.
            hopeless: An exit code after which the same again would end the same.
        """
        for attempt in range(1, self.daily.attempts + 1):
            code = step()
            if code in (0, hopeless):
                return code != 0
            if attempt < self.daily.attempts:
                _LOG.warning("trying again in %.0f s", self.daily.wait)
                time.sleep(self.daily.wait)
        return True

    def _command(self, role: Role, *arguments: str) -> int:
        """A command of this package, as a process of its own with the role's credentials."""
        command = own_command(*arguments, "--target", self.daily.target)
        return _run(command, own_environment() | self.variables(role), self.project, self.log)

    def _dbt(self, *arguments: str) -> int:
        dbt = str(Path(sys.executable).parent / "dbt")
        command = [dbt, *arguments, "--target", self.daily.target]
        return _run(command, self.variables(TRANSFORMER), self.project, self.log)


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


def _run(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path | None
) -> int:
    """Run a command; what it writes goes where ours goes, and into the log."""
    _LOG.info("%s", " ".join([Path(command[0]).name, *command[1:]]))
    # What arrives in the database must not depend on the shell that the run was started from.
    variables = os.environ | {"PGCLIENTENCODING": "UTF8"} | dict(environment)
    if log is None:
        return subprocess.run(command, cwd=folder, env=variables, check=False).returncode
    variables["PYTHONUNBUFFERED"] = "1"  # into a pipe, lines would come late
    pipe = subprocess.PIPE
    with (
        log.open("ab", buffering=0) as file,
        subprocess.Popen(command, cwd=folder, env=variables, stdout=pipe, stderr=pipe) as process,
    ):
        ours = ((process.stdout, sys.stdout.buffer), (process.stderr, sys.stderr.buffer))
        copies = [
            threading.Thread(target=_copy, args=(theirs, own, file))
            for theirs, own in ours
            if theirs
        ]
        for copy in copies:
            copy.start()
        for copy in copies:
            copy.join()
    return process.returncode


def _copy(theirs: IO[bytes], *places: IO[bytes]) -> None:
    """Hand on what a command writes, line by line, to wherever it can still be written."""
    for line in theirs:
        for place in places:
            with suppress(OSError):  # nobody reads it any more, or the disk is full
                place.write(line)
                place.flush()
