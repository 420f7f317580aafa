"""Installs a lock with pip and says how far it is; what pip says is shown only if it fails.

Standard library only: it runs when nothing is installed yet.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from retail_platform.progress import Milestones

_PACKAGE = re.compile(r"^[\w.\[\]-]+==", re.MULTILINE)
_FETCHED = ("Collecting ", "Requirement already satisfied: ")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and run pip.

    Returns:
        pip's exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", type=Path, help="a requirements file with hashes")
    parser.add_argument("--seconds", type=float, default=5, help="between two lines (%(default)s)")
    options = parser.parse_args(argv)

    total = len(_PACKAGE.findall(options.lock.read_text(encoding="utf-8")))
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-input", "--progress-bar", "off", "--require-hashes", "-r", str(options.lock)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        said, ended = _watch(pip, total, options.seconds)
    if pip.returncode:
        sys.stderr.write("".join(said[-40:]))
        sys.stderr.write(f"error: pip could not install {options.lock}; its last lines are above\n")
    elif ended:
        sys.stderr.write(f"Installed: {total} packages\n")
    return pip.returncode


def _watch(pip: subprocess.Popen[str], total: int, seconds: float) -> tuple[list[str], bool]:
    """Read what pip says until it ends, and tell how far it is; (its lines, whether we spoke)."""
    said: list[str] = []

    reader = threading.Thread(target=_drain, args=(pip, said), daemon=True)
    reader.start()
    fetching = Milestones("Fetching", "packages", total, seconds)
    unpacking = Milestones("Unpacking", "packages", None, seconds)
    spoke = False
    while reader.is_alive():
        reader.join(timeout=min(1.0, seconds))
        fetched = sum(line.startswith(_FETCHED) for line in said)
        if any(line.startswith("Installing collected") for line in said):
            spoke |= unpacking.reach(fetched)
        else:
            spoke |= fetching.reach(fetched)
    return said, spoke


def _drain(pip: subprocess.Popen[str], said: list[str]) -> None:
    for line in pip.stdout or ():
        said.append(line)
