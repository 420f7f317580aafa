"""Resolves a target of ``profiles.yml`` to libpq parameters, so dbt and Python never disagree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import psycopg2
import yaml

from retail_platform.errors import UserError
from retail_platform.postgres.connection import connect, url
from retail_platform.postgres.server import project_server
from retail_platform.project import PACKAGE, find_project

PROFILE = "retail"
OLDEST_MAJOR = 15
SCHEMAS = ("staging", "retail", "cuarentena")

# dbt's name of a connection setting -> libpq's.
_LIBPQ_NAMES = {
    "host": "host",
    "port": "port",
    "user": "user",
    "password": "password",
    "pass": "password",
    "dbname": "dbname",
    "database": "dbname",
    "sslmode": "sslmode",
    "sslrootcert": "sslrootcert",
    "sslcert": "sslcert",
    "sslkey": "sslkey",
    "connect_timeout": "connect_timeout",
    "keepalives_idle": "keepalives_idle",
}


def profiles_path(project: Path | None = None) -> Path:
    """Find the file to read: ``profiles.yml`` where dbt finds it, else the example.

    Args:
        project: The dbt project's folder, default that of `find_project`. Without one the working
            directory and the example that is installed with this package are looked at.
    """
    project = project or find_project()
    folders = [os.environ.get("DBT_PROFILES_DIR"), project or Path.cwd()]
    for folder in folders:
        if folder and (path := Path(folder) / "profiles.yml").is_file():
            return path
    return (project or PACKAGE) / "profiles.yml.example"


def connection_parameters(
    target: str, project: Path | None = None, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Resolve a target.

    Args:
        target: Name of an output of the profile ``retail``.
        project: The project's folder, default that of `find_project`.
        environment: The variables that the profile reads.

    Returns:
        libpq parameters, without those that are empty.

    Raises:
        UserError: If the target is unknown (the known ones are listed) or a variable is not set
            (it is named).
    """
    path = profiles_path(project)
    try:
        outputs = yaml.safe_load(path.read_text(encoding="utf-8"))[PROFILE]["outputs"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} holds no profile '{PROFILE}' with outputs ({type(error).__name__}: {error}). "
            "Compare it with profiles.yml.example."
        ) from None
    if target not in outputs:
        raise UserError(
            f"Unknown target '{target}'. {path.name} defines: {', '.join(sorted(outputs))}."
        )
    missing: list[str] = []
    rendered = {
        _LIBPQ_NAMES[key]: _render(value, environment, missing)
        for key, value in outputs[target].items()
        if key in _LIBPQ_NAMES
    }
    if missing:
        several = len(missing) > 1
        raise UserError(
            f"Target '{target}' needs the environment variable{'s' if several else ''} "
            f"{', '.join(missing)}, which {'are' if several else 'is'} not set. "
            f"Set {'them' if several else 'it'} (export {missing[0]}=...) or choose another target."
        )
    return {key: value for key, value in rendered.items() if value}


def _render(value: Any, environment: Mapping[str, str], missing: list[str]) -> str:
    """Render a value as dbt does, with the one function of dbt that profiles need.

    A variable that is not set and has no default is added to ``missing``.
    """

    def env_var(name: str, default: str | None = None) -> str:
        found = environment.get(name, default)
        if found is None:
            missing.append(name)
            return "0"  # a number, so that filters such as int go on
        return found

    templates = jinja2.Environment(undefined=jinja2.StrictUndefined)
    return templates.from_string(str(value)).render(env_var=env_var)


def libpq_environment(parameters: Mapping[str, str]) -> dict[str, str]:
    """The same parameters as the environment variables that psql reads.

    Args:
        parameters: From `connection_parameters`.
    """
    names = {"dbname": "PGDATABASE", "connect_timeout": "PGCONNECT_TIMEOUT"}
    return {
        names.get(key, f"PG{key.upper()}"): value
        for key, value in parameters.items()
        if key != "keepalives_idle"  # has no environment variable
    }


def url_of(target: str, project: Path | None) -> str:
    """The libpq URL of a target, by which other programs connect.

    Args:
        target: A target of profiles.yml.
        project: The project's folder, if there is one.

    Returns:
        By TCP, which every program can, also where dbt uses the embedded server's socket.
    """
    parameters = connection_parameters(target, project)
    if parameters["host"].startswith("/"):
        return project_server(project).url()
    return url(parameters)


def administrator_of(target: str, project: Path | None) -> dict[str, str]:
    """The libpq parameters of the user who may create roles on a target.

    Args:
        target: A target of profiles.yml.
        project: The project's folder, if there is one.

    Returns:
        Of the embedded server's superuser, or of the target's own user elsewhere.
    """
    parameters = connection_parameters(target, project)
    if parameters["host"].startswith("/"):
        return project_server(project).admin_parameters(parameters["dbname"])
    return parameters


def _local_hint(error: str) -> str:
    if "no password supplied" in error:
        return (
            "\nThe embedded server is reached by a socket now: take the output 'local' over from "
            "profiles.yml.example into your profiles.yml (or delete that, make copies it again)."
        )
    return ""  # `connect` says how to start it


def check_target(target: str, project: Path | None = None) -> None:
    """Connect to a target and check that the platform can be built there.

    Args:
        target: Name of an output of the profile.
        project: The project's folder, default that of `find_project`.

    Raises:
        UserError: If it cannot be reached, is older than version 15, or the user may not create
            relations in one of the platform's schemas.
    """
    parameters = connection_parameters(target, project)
    place = f"target '{target}' ({url(parameters)})"
    try:
        session = connect(parameters)
    except psycopg2.OperationalError as error:
        hint = _local_hint(str(error)) if target == "local" else ""
        raise UserError(f"Cannot connect to {place}:\n{str(error).strip()}{hint}") from None
    try:
        if session.server_version < OLDEST_MAJOR * 10000:
            raise UserError(
                f"The server of {place} is PostgreSQL {session.server_version // 10000}; "
                f"version {OLDEST_MAJOR} or newer is needed."
            )
        with session.cursor() as cursor:
            cursor.execute(
                """
                select nspname, pg_get_userbyid(nspowner), current_user
                from pg_namespace
                where nspname = any(%s)
                    and not (
                        has_schema_privilege(oid, 'usage') and has_schema_privilege(oid, 'create')
                    )
                    -- The loader's role writes to tables that others made, and makes none.
                    and not exists (
                        select
                        from pg_class
                        where relnamespace = to_regnamespace('staging')
                            and relname = 'cargas'
                            and has_table_privilege(pg_class.oid, 'insert')
                            and not pg_has_role(relowner, 'usage')
                    )
                """,
                [list(SCHEMAS)],
            )
            for schema, owner, user in cursor.fetchall():
                raise UserError(
                    f"Schema '{schema}' in {place} belongs to '{owner}', and '{user}' may not "
                    f"create relations in it. Connect as '{owner}', create the platform's roles "
                    "(make roles), or run there as its owner: "
                    f'alter schema {schema} owner to "{user}"'
                )
    finally:
        session.close()
