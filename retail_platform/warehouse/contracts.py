"""What a warehouse holds: the contracts of the dbt models, joined with the manifest of a copy.

The contract says names, types, keys and descriptions, the manifest which files hold the rows.
Both have to agree; a relation without a contract (a snapshot) is described by the manifest alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlglot
from sqlglot import exp

from retail_platform.errors import UserError
from retail_platform.export.catalog import Column, Key
from retail_platform.export.manifest import FileEntry, Manifest

Contracts = Mapping[str, Mapping[str, Any]]
"""Relation -> node of dbt's manifest, of those with an enforced contract."""

_MOST_CLUSTERED = 4
_REFERENCE = re.compile(r"ref\(\s*'(\w+)'\s*\)")


@dataclass(frozen=True)
class Table:
    """A relation that holds rows.

    Attributes:
        name: Its name.
        comment: Its description.
        columns: In the order of the files.
        keys: The primary key first.
        partitioned_by: Column whose month divides it.
        shape: Differs if its columns do.
        files: What holds its rows.
        referred: Whether another relation's foreign key leads to it: a dimension.
    """

    name: str
    comment: str | None
    columns: tuple[Column, ...]
    keys: tuple[Key, ...]
    partitioned_by: str | None
    shape: str
    files: tuple[FileEntry, ...]
    referred: bool

    @cached_property
    def key(self) -> Key | None:
        """What tells its rows apart."""
        return next((key for key in self.keys if key.kind != "foreign"), None)

    @cached_property
    def clustered_by(self) -> list[str]:
        """How rows lie within a month: by day, then by what they are joined and found by."""
        if self.partitioned_by is None:
            return []
        foreign = [name for key in self.keys if key.kind == "foreign" for name in key.columns]
        names = [self.partitioned_by, *foreign, *(self.key.columns if self.key else ())]
        return list(dict.fromkeys(names))[:_MOST_CLUSTERED]


@dataclass(frozen=True)
class View:
    """A view: ``query`` in PostgreSQL's dialect."""

    name: str
    comment: str | None
    columns: tuple[Column, ...]
    query: str


@dataclass(frozen=True)
class Contents:
    """What a warehouse holds: tables by name, views in the order in which they can be made."""

    schema: str
    tables: tuple[Table, ...]
    views: tuple[View, ...]


def read_contracts(path: Path, schema: str) -> Contracts:
    """Read dbt's manifest.

    Args:
        path: ``target/manifest.json``.
        schema: Of the relations wanted.

    Raises:
        UserError: It is not there, or something else.
    """
    try:
        nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"].values()
        return {
            node["alias"]: node
            for node in nodes
            if node["resource_type"] == "model"
            and node["schema"] == schema
            and node["contract"]["enforced"]
        }
    except FileNotFoundError:
        raise UserError(
            f"There is no {path}. Make it: dbt parse (or make build); --contracts names another."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{path} is not the manifest of a dbt project. Make it: dbt parse; --contracts names "
            "another."
        ) from None


def read_contents(manifest: Manifest, contracts: Contracts) -> tuple[Contents, list[str]]:
    """Join the manifest of a copy with the contracts.

    Args:
        manifest: Of the copy.
        contracts: Of the models.

    Returns:
        The contents, and what a person should know.

    Raises:
        UserError: A contract and the copy tell different columns, or a relation is not copied.
    """
    described = manifest["relations"] | manifest["views"]
    if missing := sorted(contracts.keys() - described.keys()):
        raise UserError(
            f"Not in the copy: {', '.join(missing[:5])}{' ...' * (len(missing) > 5)}, which the "
            "contracts promise. Build them and export again (make build, make export)."
        )
    for name, node in contracts.items():
        _refuse_difference(name, node, described[name])
    keys = {
        name: _keys(contracts.get(name, {}), relation)
        for name, relation in manifest["relations"].items()
    }
    referred = {key.to for found in keys.values() for key in found if key.to}
    tables = tuple(
        Table(
            name=name,
            comment=_comment(name, contracts, relation),
            columns=_columns(name, contracts, relation),
            keys=keys[name],
            partitioned_by=relation["partitioned_by"],
            shape=relation["shape"],
            files=tuple(relation["files"]),
            referred=name in referred,
        )
        for name in _in_order({name: _led_to(found) for name, found in keys.items()})
        for relation in [manifest["relations"][name]]
    )
    views = tuple(
        View(
            name=name,
            comment=_comment(name, contracts, manifest["views"][name]),
            columns=_columns(name, contracts, manifest["views"][name]),
            query=manifest["views"][name]["definition"],
        )
        for name in _in_order({name: _read_by(view) for name, view in manifest["views"].items()})
    )
    without = sorted(described.keys() - contracts.keys())
    told = [f"without a contract, described by the copy: {', '.join(without)}"] if without else []
    return Contents(manifest["schema"], tables, views), told


def _refuse_difference(name: str, node: Mapping[str, Any], copied: Mapping[str, Any]) -> None:
    """A copy made before the model changed would be loaded into columns that it does not have."""
    wanted = {column["name"]: _type(column["data_type"]) for column in node["columns"].values()}
    found = {column["name"]: _type(column["type"]) for column in copied["columns"]}
    if wanted != found:
        differing = sorted(
            column
            for column in wanted.keys() | found.keys()
            if wanted.get(column) != found.get(column)
        )
        raise UserError(
            f"{name}: the contract and the copy differ in {', '.join(differing)}. The copy is "
            "older than the contract, or the other way round: build and export, then repeat."
        )


def _type(text: str) -> exp.DataType:
    """A type as PostgreSQL understands it, whatever its spelling."""
    spelled = text.replace("without time zone", "").replace(
        "timestamp with time zone", "timestamptz"
    )
    return exp.DataType.build(spelled.strip(), dialect="postgres")


def _comment(name: str, contracts: Contracts, copied: Mapping[str, Any]) -> str | None:
    told = contracts[name]["description"].strip() if name in contracts else copied["comment"]
    return told or None


def _columns(name: str, contracts: Contracts, copied: Mapping[str, Any]) -> tuple[Column, ...]:
    """In the order of the files, which some loads go by."""
    promised = contracts[name]["columns"] if name in contracts else {}
    return tuple(
        Column(
            name=column["name"],
            type=column["type"],
            nullable=column["nullable"],
            comment=promised.get(column["name"], {}).get("description") or column["comment"],
        )
        for column in copied["columns"]
    )


def _keys(node: Mapping[str, Any], copied: Mapping[str, Any]) -> tuple[Key, ...]:
    """The contract's keys; a view that holds rows has its unique index instead."""
    kinds = {"primary_key": "primary", "unique": "unique", "foreign_key": "foreign"}
    found = [
        Key(
            kinds[constraint["type"]],
            tuple(constraint["columns"]),
            _target(constraint["to"]),
            tuple(constraint["to_columns"] or ()),
        )
        for constraint in node.get("constraints", [])
        if constraint["type"] in kinds
    ] or [
        Key(key["kind"], tuple(key["columns"]), key["to"], tuple(key["to_columns"]))
        for key in copied["keys"]
    ]
    return tuple(sorted(found, key=lambda key: ("primary", "unique", "foreign").index(key.kind)))


def _target(text: str | None) -> str | None:
    """The relation of ``ref('dim_tienda')``, or of ``"db"."retail"."dim_tienda"`` once compiled."""
    if text is None:
        return None
    found = _REFERENCE.search(text)
    return found.group(1) if found else text.rpartition(".")[2].strip('"')


def _led_to(keys: tuple[Key, ...]) -> set[str]:
    return {key.to for key in keys if key.to}


def _read_by(view: Mapping[str, Any]) -> set[str]:
    query = sqlglot.parse_one(view["definition"], read="postgres")
    return {table.name for table in query.find_all(exp.Table)}


def _in_order(needs: Mapping[str, set[str]]) -> Iterable[str]:
    """Names after those that they need, whatever is not among them left aside.

    Raises:
        UserError: Some need each other.
    """
    sorter = TopologicalSorter(
        {name: sorted(needed & needs.keys() - {name}) for name, needed in sorted(needs.items())}
    )
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise UserError(
            f"Foreign keys lead in a circle: {' -> '.join(error.args[1])}. Tables are made after "
            "those that they refer to: take one of these keys out of the contract."
        ) from None


def is_text(column: Column) -> bool:
    """Whether its values are texts in the files, as all are that Parquet has no type for."""
    return pa.types.is_string(column.arrow_type)
