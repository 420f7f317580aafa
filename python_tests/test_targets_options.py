"""The settings of `make`: checked before anything is installed, generated or changed."""

from __future__ import annotations

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
        ("SCALE=0", "a positive number is needed"),
        ("SCALE=-1", "a positive number is needed"),
        ("SCALE=full", "a positive number is needed"),
        ("SCALE=nan", "a positive number is needed"),
        ("SCALE=inf", "a positive number is needed"),
        ("END_DATE=31/12/2025", "a date YYYY-MM-DD is needed"),
        ("END_DATE=2025-02-30", "a date YYYY-MM-DD is needed"),
        ("END_DATE=20251231", "a date YYYY-MM-DD is needed"),
        ("SEED=-3", "a whole number from 0 is needed"),
        ("SEED=x", "a whole number from 0 is needed"),
    ],
)
def test_a_bad_setting_stops_the_build_with_its_name(setting: str, expected: str) -> None:
    refused = _make("build", setting)
    assert refused.returncode != 0
    assert f"error: {setting}: {expected}" in refused.stderr
    assert refused.stdout == "", "nothing was begun"


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
