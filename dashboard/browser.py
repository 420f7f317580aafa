"""The dashboard served on a port of its own, and a browser to look at it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, sync_playwright

from retail_platform.errors import UserError

PORT = 8599


@dataclass(frozen=True)
class Served:
    """A running dashboard.

    Attributes:
        address: Where it is.
        pid: Of its process.
    """

    address: str
    pid: int


@contextmanager
def served(target: str) -> Iterator[Served]:
    """Serve the dashboard of a target until the block ends.

    Args:
        target: A target of profiles.yml.
    """
    command = [sys.executable, "-m", "dashboard.server", "--target", target, "--port", str(PORT)]
    process = subprocess.Popen(command)
    try:
        found = Served(f"http://127.0.0.1:{PORT}", process.pid)
        _wait(found.address, process)
        yield found
    finally:
        process.terminate()
        process.wait()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None:
                raise UserError("The dashboard did not start; its own message is above.") from None
            time.sleep(0.05)
    raise UserError("The dashboard did not answer within a minute.")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise UserError("No Chromium is installed (Debian: apt-get install chromium).")
    with sync_playwright() as playwright:
        # Root needs --no-sandbox.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
