"""The settings of `make`: checked before anything is installed, generated or changed."""

from __future__ import annotations

import ast
import os
import subprocess

import pytest
from conftest import PROJECT, run_script


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("SCALE=0", "a number above 0"),
        ("SCALE=-1", "a number above 0"),
        ("SCALE=full", "a number above 0"),
        ("SCALE=nan", "a number above 0"),
        ("SCALE=inf", "a number above 0"),
        ("END_DATE=31/12/2025", "a date as YYYY-MM-DD"),
        ("END_DATE=2025-02-30", "a date as YYYY-MM-DD"),
        ("END_DATE=20251231", "a date as YYYY-MM-DD"),
        ("END_DATE=2035-12-01", "which is in the future; allowed: up to today"),
        ("END_DATE=2036-01-01", "2015-01-01 to 2035-12-31"),
        ("SCALE=21", "at most 20"),
        ("SEED=-3", "an integer of 0 or more"),
        ("SEED=x", "an integer of 0 or more"),
    ],
)
def test_a_bad_setting_stops_the_build_with_its_name(setting: str, expected: str) -> None:
    refused = _make("build", setting)
    assert refused.returncode != 0
    name, value = setting.split("=")
    [told] = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
    assert told.startswith(f"error: {name}: got "), told
    assert value in told and f"{expected}" in told
    assert refused.stdout == "", "nothing was begun"


@pytest.mark.parametrize("setting", ["scale=0.01", "Target=rds", "SCALES=2"])
def test_an_unknown_setting_is_refused_with_the_allowed_names(setting: str) -> None:
    refused = _make("build", setting)
    assert refused.returncode != 0
    name = setting.split("=")[0]
    assert f"unknown setting: {name}. Allowed: SCALE END_DATE SEED TARGET" in refused.stderr
    assert refused.stdout == "", "nothing was begun"


def test_settings_reach_make_from_another_make_and_variables_of_the_programs_pass() -> None:
    inner = "all:\n\t$(MAKE) help RETAIL_LOCAL_PORT=6001\n"
    shown = subprocess.run(
        ["make", "-f", "-", "SCALE=0.5"], input=inner, cwd=PROJECT, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr
    assert "SCALE=0.5 " in shown.stdout


def test_the_check_can_be_read_by_an_old_python() -> None:
    names = ("commands/options.py", "commands/__init__.py", "settings.py", "__init__.py")
    files = [PROJECT / "retail_platform" / name for name in names]
    for path in (*files, PROJECT / "scripts" / "check_options.py"):
        ast.parse(path.read_text(), feature_version=(3, 6))


def test_generate_refuses_what_make_refuses() -> None:
    for option, value in (("--scale", "21"), ("--end-date", "2035-12-01"), ("--seed", "-1")):
        arguments = [f"{option}={value}"]
        told = [
            run_script(name, *arguments, check=False).stderr.splitlines()[-1].split("got ")[1]
            for name in ("check_options.py", "generate.py")
        ]
        assert told[0] == told[1]


def test_good_settings_pass() -> None:
    run_script("check_options.py", *"--scale 0.01 --end-date 2025-12-31 --seed 0".split())


def test_help_names_every_command_and_setting() -> None:
    shown = _make("help").stdout
    for name in (
        *("build", "test", "lint", "generate", "docs", "db-start", "db-stop", "db-url", "psql"),
        *("clean", "SCALE", "END_DATE", "SEED", "TARGET"),
    ):
        assert name in shown
    assert _make().stdout == shown, "help is the default"


def test_no_virtual_environment_module_says_what_to_install(tmp_path: os.PathLike) -> None:
    # Debian's python3 without python3-venv has no ensurepip.
    (blocked := PROJECT.__class__(tmp_path) / "ensurepip.py").write_text("raise ImportError\n")
    refused = run_script("check_options.py", env={"PYTHONPATH": str(blocked.parent)}, check=False)
    assert refused.returncode == 1
    assert "apt-get install python3-venv" in refused.stderr
