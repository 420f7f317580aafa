"""Where the dbt project is, for the commands that need it, and how this package calls itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from retail_platform.errors import UserError

PACKAGE = Path(__file__).resolve().parent
VARIABLE = "RETAIL_PROJECT_DIR"


def find_project() -> Path | None:
    """The dbt project: the one named, else the checkout that this package is in, else around here.

    Returns:
        Its folder; None if the package was installed apart from it and works outside of it.

    Raises:
        UserError: The one named by ``--project-dir`` or its variable is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        folder = Path(named).resolve()
        if not _is_project(folder):
            raise UserError(
                f"{folder} is not the retail project: it has no dbt_project.yml and analyses/. "
                f"Correct --project-dir or {VARIABLE}."
            )
        return folder
    around = (PACKAGE.parent, Path.cwd(), *Path.cwd().parents)
    return next((folder for folder in around if _is_project(folder)), None)


def _is_project(folder: Path) -> bool:
    # Not any dbt project: this one's.
    return (folder / "dbt_project.yml").is_file() and (
        folder / "analyses" / "seed_statements.sql"
    ).is_file()


def require_project() -> Path:
    """The dbt project, for a command that does nothing without it.

    Raises:
        UserError: There is none.
    """
    project = find_project()
    if project is None:
        raise UserError(
            "This command needs the dbt project, which is not installed with the package. Run it "
            "in a checkout, or name one: retail --project-dir FOLDER COMMAND "
            f"(or {VARIABLE}=FOLDER)."
        )
    return project


def own_command(*arguments: str) -> list[str]:
    """This package's console command as a process of its own; see `own_environment`."""
    # -P: the package in use, not one that lies in the folder in which the process works.
    return [sys.executable, "-P", "-m", "retail_platform", *arguments]


def own_environment() -> dict[str, str]:
    """The variables with which `own_command` finds this package, installed or not."""
    path = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(path)}
