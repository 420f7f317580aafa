"""Calls the platform's macros as dbt does, in dbt's own Jinja environment, without a database."""

from __future__ import annotations

import datetime
import functools
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, SimpleNamespace
from typing import Any

import jinja2
from conftest import PROJECT
from dbt_common.clients.jinja import get_environment
from dbt_common.exceptions.macros import MacroReturn

# How dbt names the macros of a template, so that its own environment finds those of other files.
PREFIX = "dbt_macro__"
# dbt's id of a run, under which a run keeps what it asks once.
RUN = "prueba"


class Refused(Exception):
    """A macro stopped with an error for people."""


@dataclass(frozen=True)
class Relation:
    """What macros need of dbt's relation."""

    schema: str
    identifier: str

    def render(self) -> str:
        """The name as it stands in SQL."""
        return f"{self.schema}.{self.identifier}"

    def __str__(self) -> str:
        """As rendered into SQL."""
        return self.render()

    def incorporate(self, path: Mapping[str, str]) -> Relation:
        """The same schema, another name."""
        return Relation(path.get("schema", self.schema), path["identifier"])

    def include(self, database: bool = True) -> Relation:
        """The same relation; this stand-in has no database."""
        return self


def load_macros(citus: bool = False, own: Sequence[str] = (), **context: Any) -> SimpleNamespace:
    """Load every macro of the package.

    Args:
        citus: Whether the database has the extension, as a run keeps the answer.
        own: Macros of the project, which has one in each file, that are wanted too.
        context: What a macro may find around it: ``model``, ``graph``, ``run_query``, ``config``.

    Returns:
        The macros by name; each returns what it ``return``s, else its text.
    """
    names: dict[str, Any] = {
        "return": _return,
        "exceptions": SimpleNamespace(
            raise_compiler_error=_refuse,
            raise_not_implemented=_refuse,
            warn=lambda text: "",
        ),
        "modules": SimpleNamespace(re=re, datetime=datetime),
        "local_md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        "log": lambda text, info=False: "",
        "var": lambda name, default=None: default,
        "execute": True,
        "generate_schema_name": lambda name, node: name,
        "target": SimpleNamespace(database="retail"),
        "adapter": SimpleNamespace(quote=lambda name: f'"{name}"'),
        "api": SimpleNamespace(
            Relation=SimpleNamespace(
                create=lambda database=None, schema="", identifier="": Relation(schema, identifier)
            )
        ),
        "invocation_id": RUN,
        **context,
    }
    names["graph"] = {f"pg_lifecycle_is_citus_{RUN}": citus} | names.get("graph", {})
    # The package calls its own macros by its name, as dbt has it for every package.
    names["pg_lifecycle"] = package = {}
    for name in own:
        names[name] = functools.partial(_call, package, name)
    names["context"] = names
    environment, files = _compiled(tuple(own))
    for code in files:
        template = environment.template_class.from_code(
            environment, code, environment.make_globals(names)
        )
        module = template.make_module(vars=names)
        for name, macro in vars(module).items():
            if name.startswith(PREFIX):
                package[name.removeprefix(PREFIX)] = _callable(macro)
    return SimpleNamespace(**package)


def _call(macros: Mapping[str, Callable[..., Any]], name: str, *args: Any) -> Any:
    """Call a macro that may be loaded later than who calls it."""
    return macros[name](*args)


@functools.cache
def _compiled(own: tuple[str, ...]) -> tuple[jinja2.Environment, list[CodeType]]:
    environment = get_environment()
    paths = sorted((PROJECT / "packages" / "pg_lifecycle" / "macros").rglob("*.sql"))
    paths += [PROJECT / "macros" / f"{name}.sql" for name in own]
    return environment, [environment.compile(path.read_text()) for path in paths]


def _callable(macro: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return macro(*args, **kwargs)
        except MacroReturn as answer:
            return answer.value

    return call


def _return(value: Any) -> None:
    raise MacroReturn(value)


def _refuse(message: str) -> None:
    raise Refused(message)
