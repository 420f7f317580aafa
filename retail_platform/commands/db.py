"""Starts, stops and shows the embedded PostgreSQL, and opens psql on any target."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from retail_platform.errors import UserError
from retail_platform.loading.worlds import refuse_other_world
from retail_platform.postgres.binaries import find_psql
from retail_platform.postgres.server import project_server
from retail_platform.project import find_project
from retail_platform.targets import (
    check_target,
    connection_parameters,
    libpq_environment,
    url_of,
)


def _start() -> int:
    server = project_server(find_project())
    status = server.start()
    print(f"PostgreSQL {server.binaries.version} is running: port {status.port}, {server.home}")
    return 0


def _stop() -> int:
    stopped = project_server(find_project()).stop()
    print("stopped" if stopped else "was not running")
    return 0


def _remove() -> int:
    server = project_server(find_project())
    server.remove()
    print(f"removed {server.home}")
    return 0


def _status() -> int:
    server = project_server(find_project())
    status = server.status()
    if status.pid is None:
        print(f"stopped ({server.home})")
        return 3  # what `pg_ctl status` and LSB scripts return
    state = "running" if status.accepting else "starting or recovering"
    print(f"{state}: port {status.port}, process {status.pid}, {server.home}")
    return 0


# What \dt+ would list with every partition, and with the state at the end of each comment.
_RELATIONS = """
select
    n.nspname as esquema,
    c.relname as relacion,
    case c.relkind
        when 'm' then 'vista materializada' when 'v' then 'vista'
        when 'p' then 'tabla por periodos' else 'tabla'
    end as clase,
    pg_size_pretty((
        select sum(pg_total_relation_size(tree.oid))
        from (
            select c.oid union all
            select relid from pg_partition_tree(case when c.relkind = 'p' then c.oid end)
        ) as tree (oid)
    )) as ocupa,
    left(split_part(obj_description(c.oid, 'pg_class'), E'\\n', 1), 100) as descripcion
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
where
    n.nspname in ('retail', 'staging', 'cuarentena')
    and c.relkind in ('r', 'p', 'v', 'm')
    and not c.relispartition
order by n.nspname <> 'retail', n.nspname, c.relname;
"""


def _psql(target: str, arguments: list[str]) -> int:
    program = find_psql(embedded=target == "local")
    parameters = connection_parameters(target)
    embedded = parameters["host"].startswith("/")
    if embedded and project_server(find_project()).status().pid is None:
        raise UserError("The embedded server is stopped. Start it: make db-start")
    # By environment, not by argument: a password must not show in the process list.
    environment = os.environ | libpq_environment(parameters)
    relations = " ".join(_RELATIONS.split())
    os.execvpe(program, [str(program), f"--set=tablas={relations}", *arguments], environment)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and run one command."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("start", help="start the embedded server and wait until it is ready")
    commands.add_parser("stop", help="stop the embedded server")
    commands.add_parser("status", help="say whether it runs (exit code 0) or not (3)")
    commands.add_parser("remove", help="delete the stopped server and all its data")
    for name, text in (
        ("url", "print a libpq URL, without a password, and nothing else"),
        ("psql", "open psql; further arguments are psql's own"),
        ("check", "connect, and say what is wrong if the target cannot be used"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--target", default="local", help="a target of profiles.yml")
        if name == "check":
            command.add_argument(
                "--data", type=Path, help="also refuse if another simulated world is loaded there"
            )
    options, rest = parser.parse_known_args(argv)
    if rest and options.command != "psql":
        parser.error(f"unknown arguments: {' '.join(rest)}")
    match options.command:
        case "start":
            return _start()
        case "stop":
            return _stop()
        case "remove":
            return _remove()
        case "status":
            return _status()
        case "psql":
            return _psql(options.target, rest)
        case "check":
            check_target(options.target)
            if options.data:
                refuse_other_world(options.target, None, options.data)
        case "url":
            print(url_of(options.target, find_project()))
    return 0
