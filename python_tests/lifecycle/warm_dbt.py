"""Imported by the fork server only: parses an empty project, so that every fork finds dbt warm."""

import contextlib
import os
import tempfile
from pathlib import Path

from dbt.cli.main import dbtRunner

PROFILE = """\
ciclo:
  outputs:
    ci: {type: postgres, host: localhost, port: 1, user: u, password: p, dbname: d, schema: s}
"""
PROJECT = "{name: ciclo, version: '1', config-version: 2, profile: ciclo}"

with tempfile.TemporaryDirectory() as name, Path(os.devnull).open("w") as nowhere:
    folder = Path(name)
    (folder / "profiles.yml").write_text(PROFILE)
    (folder / "dbt_project.yml").write_text(PROJECT)
    with contextlib.redirect_stdout(nowhere):
        # Twice: reading the parse of the first warms what later runs do.
        for _ in range(2):
            dbtRunner().invoke(
                ["parse", "--project-dir", name, "--profiles-dir", name, "--target", "ci"]
            )
