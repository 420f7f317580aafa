"""The installed package: its commands outside of a checkout, and what they say if they need one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PROJECT, Database

from retail_platform.commands.cli import COMMANDS
from retail_platform.roles import LOGINS

Retail = Callable[..., subprocess.CompletedProcess[str]]
# What a wheel is made of.
SOURCES = ("retail_platform", "seeds", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as `pip install .` puts it there; its dependencies are ours."""
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for name in (*SOURCES, "profiles.yml.example"):
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, source / name, symlinks=True)
        else:
            shutil.copy(PROJECT / name, source / name)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--target", str(site), str(source)],
        check=True,
        capture_output=True,
    )
    return site


@pytest.fixture
def retail(installed: Path, tmp_path: Path) -> Retail:
    """Runs the console command in an empty folder."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RETAIL_", "DBT_", "PYTHON"))
    }

    def run(
        *arguments: str, env: dict[str, str] | None = None, cwd: Path = tmp_path
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(installed / "bin" / "retail"), *arguments],
            cwd=cwd,
            env=clean | {"PYTHONPATH": str(installed), "HOME": str(tmp_path)} | (env or {}),
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_installed_package_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import retail_platform as r; print(r.__file__)"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()).is_relative_to(installed)


def test_every_command_explains_itself(retail: Retail) -> None:
    overview = retail("--help").stdout
    for name, text in COMMANDS.items():
        assert f"{name} " in overview and text in overview
        shown = retail(name, "--help")
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.startswith(f"usage: retail {name} ")


def test_an_unknown_command_lists_the_known_ones(retail: Retail) -> None:
    refused = retail("generat")
    assert refused.returncode == 2
    assert all(f"'{name}'" in refused.stderr for name in COMMANDS)


def test_data_is_generated_and_loaded_into_a_target_of_the_environment(
    retail: Retail, empty_database: Database, tmp_path: Path
) -> None:
    made = retail("generate", *"--scale 0.01 --years 1 --end-date 2025-12-31 --quiet".split())
    assert made.returncode == 0, made.stderr
    env = {k: v for k, v in empty_database.environment.items() if k.startswith("RETAIL_CI_")}
    loaded = retail("load", "data", "--target", "ci", env=env)
    assert loaded.returncode == 0, loaded.stderr
    assert empty_database.query("select count(*) > 1000 from staging.raw_ventas") == [(True,)]
    assert retail("load", "--report", "--target", "ci", env=env).returncode == 0


def test_roles_are_refused_or_made_by_the_target_not_by_the_folder(
    retail: Retail, empty_database: Database
) -> None:
    env = {k: v for k, v in empty_database.environment.items() if k.startswith("RETAIL_CI_")}
    shown = retail("roles", "--target", "nowhere", env=env)
    assert shown.returncode == 1
    assert "Unknown target 'nowhere'" in shown.stderr
    for role in LOGINS:
        assert role.password_variable is not None
        assert role.password_variable in retail("roles", "--help").stdout


@pytest.mark.parametrize(
    "command", [["answers", "--target", "ci"], ["daily"], ["bench", "report"], ["docs", "repair"]]
)
def test_a_command_that_needs_the_project_says_so(retail: Retail, command: list[str]) -> None:
    refused = retail(*command)
    assert refused.returncode == 1
    assert "needs the dbt project" in refused.stderr and "--project-dir" in refused.stderr
    assert "Traceback" not in refused.stderr
    wrong = retail("--project-dir", ".", *command)
    assert wrong.returncode == 1
    assert "is not the retail project" in wrong.stderr


def test_the_embedded_server_needs_a_folder(retail: Retail) -> None:
    refused = retail("db", "status")
    assert refused.returncode == 1
    assert "RETAIL_PG_HOME=FOLDER" in refused.stderr


def test_the_answers_are_given_with_the_project_named_or_from_within_it(
    retail: Retail, built_database: Database
) -> None:
    env = {k: v for k, v in built_database.environment.items() if k.startswith("RETAIL_CI_")}
    arguments = ["answers", "--target", "ci", "--rows", "1"]
    named = retail("--project-dir", str(PROJECT), *arguments, env=env)
    assert named.stdout.count("ms in the server") == 8, named.stderr
    within = retail(*arguments, env=env, cwd=PROJECT / "docs")
    assert within.stdout.count("ms in the server") == 8, within.stderr


def test_a_package_that_is_missing_is_an_error_of_its_command_only(
    retail: Retail, installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "matplotlib.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'matplotlib'\", name='matplotlib')\n"
    )
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path / "hidden"), str(installed)])}
    for command in (["bench", "report"], ["docs", "erd"]):
        refused = retail("--project-dir", str(PROJECT), *command, env=env)
        assert refused.returncode == 1
        assert "needs the package matplotlib" in refused.stderr, refused.stderr
        project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        [named] = re.findall(r"pip install '[\w-]+\[(.*)\]'", " ".join(refused.stderr.split()))
        assert set(named.split(",")) == project["optional-dependencies"].keys()
    assert retail("--help", env=env).returncode == 0
    assert retail("docs", "repair", "--help", env=env).returncode == 0
