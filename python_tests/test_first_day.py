"""What a newcomer meets on the first day: progress, a stopped server, roles, answers as files."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import PROJECT, Database, free_port, run_script

from retail_platform.progress import Milestones
from retail_platform.reporting.answers import find_questions

ONE = "margen_categoria"


@pytest.fixture
def own_server(server_folder: Path) -> Iterator[dict[str, str]]:
    """Variables of a local server that does not run yet; it is stopped when the test ends."""
    variables = {
        "RETAIL_PG_HOME": str(server_folder / "pg"),
        "RETAIL_LOCAL_PORT": str(free_port()),
        "DBT_PROFILES_DIR": str(server_folder),
    }
    yield variables
    run_script("db.py", "stop", env=variables, check=False)


def test_a_stopped_server_is_told_with_the_command_that_starts_it(
    own_server: dict[str, str],
) -> None:
    for command in (["db.py", "psql", "-c", "select 1"], ["answers.py"]):
        refused = run_script(*command, env=own_server, check=False)
        assert refused.returncode == 1, command
        assert "make db-start" in refused.stderr, command


def test_roles_without_a_password_are_named(own_server: dict[str, str]) -> None:
    run_script("db.py", "start", env=own_server)
    arguments = ["bootstrap_roles.py", "--target", "local"]
    secret = {"RETAIL_LOADER_PASSWORD": "a-long-enough-secret"}
    for given, loader in ((secret, "password set"), ({}, "password as it was")):
        said = run_script(*arguments, env=own_server | given).stdout.splitlines()
        assert said[0] == f"retail_loader: {loader}"
        for line, role in zip(said[1:], ("TRANSFORMER", "READER"), strict=True):
            assert line.startswith(f"retail_{role.lower()}: has NO PASSWORD")
            assert f"export RETAIL_{role}_PASSWORD=..." in line


@pytest.mark.parametrize("command", [["db.py", "check"], ["answers.py"], ["load.py", "data"]])
def test_an_unset_target_names_all_its_variables(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOST", "PORT", "USER", "PASSWORD", "DBNAME"):
        monkeypatch.delenv(f"RETAIL_CI_{name}", raising=False)
    example = {"DBT_PROFILES_DIR": str(PROJECT / "docs")}  # no profiles.yml: the example counts
    monkeypatch.setenv("RETAIL_PROJECT_DIR", str(PROJECT))
    profile = PROJECT / "profiles.yml"
    if profile.is_file() and "'RETAIL_CI_HOST', '" in profile.read_text():
        pytest.skip("an older profiles.yml of the developer stands in the project's folder")
    refused = run_script(*command, "--target", "ci", env=example, check=False)
    assert refused.returncode == 1
    assert "RETAIL_CI_HOST, RETAIL_CI_USER, RETAIL_CI_DBNAME, which are not set" in refused.stderr


def test_psql_lists_what_is_there_without_partitions(built_database: Database) -> None:
    shown = subprocess.run(
        [sys.executable, str(PROJECT / "scripts" / "db.py"), "psql", "--target", "ci", "-At"],
        input=":tablas\n",
        env=_environment(built_database),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split("|") for line in shown.splitlines()]
    wanted = built_database.query(
        "select count(*) from pg_class where relkind in ('r', 'p', 'v', 'm') and not relispartition"
        " and relnamespace::regnamespace::text in ('retail', 'staging', 'cuarentena')"
    )
    assert [(len(rows),)] == wanted
    kinds = {row[1]: row[2] for row in rows if row[0] == "retail"}
    assert kinds["fact_ventas"] == "tabla por periodos"
    assert kinds["mv_ticket_formato"] == "vista materializada"
    assert "dbt_state" not in shown
    assert all(len(row[4]) > 10 for row in rows if row[0] == "retail")


def _environment(database: Database) -> dict[str, str]:
    return os.environ | database.environment | {"PYTHONPATH": str(PROJECT)}


def test_an_answer_is_written_as_csv_and_as_a_workbook(
    built_database: Database, tmp_path: Path
) -> None:
    """All rows, numbers as numbers, the same as the question asked by hand."""
    pytest.importorskip("xlsxwriter", reason="[dashboard] is not installed")
    [question] = find_questions(PROJECT / "analyses", [ONE])
    rows = built_database.query(question.statement)
    assert len(rows) > 20
    env = built_database.environment

    piped = run_script("answers.py", ONE, "--target", "ci", "--format", "csv", env=env).stdout
    head, *lines = csv.reader(io.StringIO(piped.removeprefix("\ufeff")))
    assert [[_text(value) for value in row] for row in rows] == lines

    book = tmp_path / "new" / "answers.xlsx"
    arguments = ["--target", "ci", "--format", "xlsx", "--output", str(book)]
    run_script("answers.py", *arguments, env=env)
    run_script("answers.py", ONE, *arguments[:-1], str(tmp_path / "one.xlsx"), env=env)
    assert len(_sheets(book)) == 8
    [(name, (first, *cells))] = _sheets(tmp_path / "one.xlsx").items()
    assert (name, first) == (ONE, head)
    assert len(cells) == len(rows)
    for row, written in zip(rows, cells, strict=True):
        for value, cell in zip(row, written, strict=True):
            if isinstance(value, Decimal):
                assert float(cell) == pytest.approx(float(value)), question.title

    folder = tmp_path / "csv"
    run_script("answers.py", "--target", "ci", "--format", "csv", "--output", str(folder), env=env)
    assert len(list(folder.glob("*.csv"))) == 8


def _sheets(path: Path) -> dict[str, list[list[str]]]:
    """The cells of a workbook, by the names of its sheets."""
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(path) as book:

        def read(name: str) -> ElementTree.Element:
            return ElementTree.fromstring(book.read(f"xl/{name}.xml"))

        strings = read("sharedStrings").iterfind("m:si", space)
        texts = [one.findtext("m:t", "", space) for one in strings]
        names = [sheet.get("name", "") for sheet in read("workbook").iterfind(".//m:sheet", space)]
        return {
            name: [
                [
                    texts[int(value)] if cell.get("t") == "s" else value
                    for cell in row
                    if (value := cell.findtext("m:v", "", space)) or True
                ]
                for row in read(f"worksheets/sheet{number}").iterfind(".//m:row", space)
            ]
            for number, name in enumerate(names, start=1)
        }


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    return "" if value is None else str(value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "csv"], "8 answers do not fit into one table"),
        (["--format", "xlsx"], "needs --output FILE.xlsx"),
        (["margin"], r"No question is called margin\. Allowed: .*margen_categoria"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_asked(
    arguments: list[str], said: str
) -> None:
    refused = run_script("answers.py", *arguments, "--target", "none", check=False)
    assert refused.returncode == 1
    assert re.search(said, refused.stderr)


def test_a_workbook_without_its_package_is_told_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "xlsxwriter.py").write_text("raise ModuleNotFoundError(name='xlsxwriter')")
    refused = subprocess.run(
        [sys.executable, "-c", "import sys; from retail_platform.commands.cli import main;"
         " sys.exit(main(['answers', '--format', 'xlsx', '--output', 'x.xlsx']))"],
        env=_paths(tmp_path),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "make .venv/.installed-dashboard" in refused.stderr


def _paths(*folders: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": ":".join([*map(str, folders), str(PROJECT)])}


FAKE_PIP = """
    import sys, time
    for n in range(4):
        print("Collecting package%d==1.0" % n, flush=True)
        time.sleep(0.3)
    print("Installing collected packages: all", flush=True)
    time.sleep(0.6)
    sys.exit({code})
"""


@pytest.mark.parametrize("code", [0, 3])
def test_the_installation_says_how_far_it_is(code: int, tmp_path: Path) -> None:
    pip = tmp_path / "pip"
    pip.mkdir()
    (pip / "__init__.py").touch()
    (pip / "__main__.py").write_text(textwrap.dedent(FAKE_PIP.format(code=code)))
    lock = tmp_path / "requirements.lock"
    lock.write_text("".join(f"package{n}==1.0 \\\n    --hash=sha256:0\n" for n in range(4)))
    done = subprocess.run(
        [sys.executable, str(PROJECT / "scripts/install.py"), str(lock), "--seconds", "0.2"],
        env=_paths(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert re.search(r"^Fetching: [1-4] of 4 packages, \d+ s$", done.stderr, re.MULTILINE)
    assert "Unpacking: 4 packages" in done.stderr
    if code:
        assert "Collecting package3==1.0" in done.stderr
        assert f"error: pip could not install {lock}" in done.stderr
    else:
        assert "Collecting" not in done.stderr
        assert "Installed: 4 packages" in done.stderr


def test_a_long_step_speaks_only_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("retail_platform.progress.time.monotonic", lambda: now[0])
    milestones = Milestones("Simulating", "days", 1826)
    for day in range(1, 1827):
        now[0] += 0.03
        milestones.reach(day)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 5
    assert said[0] == "Simulating: 334 of 1,826 days, 10 s"
