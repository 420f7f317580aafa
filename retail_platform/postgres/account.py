"""The operating system's account that the server runs as.

PostgreSQL refuses to run as root. When the caller is root, the server runs as the owner of the
project's folder, or as ``nobody`` when that is root too.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retail_platform.errors import UserError


@dataclass(frozen=True)
class Account:
    """An account to run as.

    Attributes:
        name: Name in the user database.
        uid: User id.
        gid: Group id.
        switch: Whether the caller is root and has to become this user.
    """

    name: str
    uid: int
    gid: int
    switch: bool

    @property
    def process_options(self) -> dict[str, Any]:
        """Arguments of `subprocess.run` that make the program run as this account."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Whether this account may enter the folder, or run the program, at ``path``."""
        if not self.switch:
            return os.access(path, os.X_OK)
        # A process of the account itself asks: access() as root would always say yes.
        test = subprocess.run(["test", "-x", path], cwd="/", check=False, **self.process_options)
        return test.returncode == 0

    def own(self, path: Path) -> None:
        """Give ``path`` to this account when the caller is root."""
        if self.switch:
            os.chown(path, self.uid, self.gid)


def server_account(project: Path) -> Account:
    """Choose the account.

    Args:
        project: The project's folder.

    Returns:
        The caller, or for root the account that the module's text describes.

    Raises:
        UserError: If the caller is root and there is no ordinary account to run as.
    """
    uid = os.geteuid()
    if uid != 0:
        try:
            return Account(pwd.getpwuid(uid).pw_name, uid, os.getegid(), switch=False)
        except KeyError:
            raise UserError(
                f"User id {uid} has no entry in /etc/passwd, which PostgreSQL's initdb needs. "
                "In a container, add one, or run as root: the server then runs as nobody."
            ) from None
    owner = project.stat().st_uid
    for key in (owner, "nobody"):
        try:
            entry = pwd.getpwuid(key) if isinstance(key, int) else pwd.getpwnam(key)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)
    raise UserError(
        "PostgreSQL refuses to run as root, and this system has no user 'nobody' to run it as. "
        "Create one (useradd --system nobody) or run the command as an ordinary user."
    )
