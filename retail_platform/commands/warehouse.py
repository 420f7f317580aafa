"""Write the SQL that makes a warehouse of a copy: Snowflake, BigQuery or Redshift.

Tables come from the contracts of the dbt models, loads from the manifest of the copy. The SQL goes
to standard output, for the warehouse's own client; nothing is sent anywhere.

ddl        schema, tables with types, keys and comments, views; what is there stays
load       all rows again, in one transaction
changed    only the months and relations that changed since the load that --state tells
check      a query: each table whose rows or sums are not the manifest's; no row is good
query      files of analyses/ in the warehouse's dialect
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from retail_platform.errors import UserError
from retail_platform.export.manifest import Manifest, parse_manifest, read_manifest, to_text
from retail_platform.export.stores import Store, open_store
from retail_platform.project import require_project
from retail_platform.reporting.answers import read_statements
from retail_platform.warehouse.changes import Changes, find_changes, full_load
from retail_platform.warehouse.contracts import read_contents, read_contracts
from retail_platform.warehouse.dialects import WAREHOUSES, Warehouse
from retail_platform.warehouse.queries import translate


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and print statements."""
    options = _parser().parse_args(argv)
    if options.query:
        for path in options.query:
            if not path.is_file():
                raise UserError(f"There is no {path}; --query takes files of analyses/.")
            _print(_translated(path, options.warehouse, options.schema))
        return 0
    if options.schema and not all(options.schema.split(".")):
        raise UserError(f"--schema got '{options.schema}'; allowed: a name, or project.dataset.")
    if options.state and (options.load or options.changed):
        _forget_unfinished(options.state)
    store = open_store(options.of)
    manifest = read_manifest(store, required=True)
    path = options.contracts or require_project() / "target" / "manifest.json"
    contents, told = read_contents(manifest, read_contracts(path, manifest["schema"]))
    warehouse = WAREHOUSES[options.warehouse](
        contents,
        options.schema or contents.schema,
        _place(options, store),
        _access(options),
    )
    if options.ddl:
        _print(warehouse.definitions())
    elif options.check:
        _print([warehouse.check()])
    else:
        changes = full_load(contents)
        if options.changed:
            changes = find_changes(contents, _loaded(options.state), manifest)
        told.extend(changes.told)
        _load(warehouse, changes, store)
        told.extend(_remember(options.state, manifest))
    for line in told:
        print(line, file=sys.stderr)
    return 0


def _translated(path: Path, dialect: str, schema: str | None) -> list[str]:
    schemas = ("retail", schema) if schema else None
    return [translate(found.statement, dialect, schemas) for found in read_statements(path)]


def _load(warehouse: Warehouse, changes: Changes, store: Store) -> None:
    for path, content in warehouse.files_of_statements(changes).items():
        store.write(path, content)
    statements = warehouse.replace(changes)
    if not statements:
        print("-- nothing new")
    _print(statements)


def _print(statements: list[str]) -> None:
    for statement in statements:
        print(f"{statement};\n")


def _loaded(state: Path | None) -> Manifest:
    """The manifest of the last load.

    Raises:
        UserError: There is none.
    """
    if state is None:
        raise UserError("--changed needs --state FILE, the state that the last load left.")
    try:
        return parse_manifest(state.read_bytes(), str(state))
    except OSError:
        raise UserError(
            f"There is no {state}: nothing tells what the warehouse holds. Load everything (--ddl, "
            f"then --load --state {state}) and, once that went well, rename {state}.next to it."
        ) from None


def _following(state: Path) -> Path:
    return state.with_name(f"{state.name}.next")


def _forget_unfinished(state: Path) -> None:
    """Whoever renames what an earlier run left would take its load for this one's.

    Raises:
        UserError: It cannot be deleted, or the state is none.
    """
    if state.is_dir():
        raise UserError(f"--state got the folder {state}; it needs a file: {state}/cargado.json.")
    try:
        _following(state).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"Could not delete {_following(state)}, of an earlier run: {error.strerror}. Do it by "
            "hand, and repeat."
        ) from None


def _remember(state: Path | None, manifest: Manifest) -> list[str]:
    """Put the manifest beside the state, which becomes the state once the load went well."""
    if state is None:
        return []
    following = _following(state)
    sys.stdout.flush()  # if the disk is full, the statements are not whole
    try:
        following.write_bytes(to_text(manifest))
    except OSError as error:
        raise UserError(f"Could not write {following}: {error.strerror}.") from None
    return [f"once the statements went through: mv {following} {state}"]


def _place(options: argparse.Namespace, store: Store) -> str:
    """The copy as the warehouse sees it.

    Raises:
        UserError: The warehouse cannot see it there.
    """
    kind = WAREHOUSES[options.warehouse]
    place = (options.place or store.shown).rstrip("/")
    if "://" in place:
        place = place.partition("?")[0].rstrip("/")  # pyarrow's options mean nothing there
    if options.warehouse == "snowflake":
        place = place.replace("gs://", "gcs://", 1)
    scheme = place.partition("://")[0] if "://" in place else ""
    if scheme not in kind.schemes and (options.load or options.changed or options.ddl):
        raise UserError(
            f"{options.warehouse} does not see {place}. Allowed: "
            f"{', '.join(f'{name}://bucket/prefix' for name in kind.schemes)}. Export to such a "
            "place, or say with --place where the folder is mirrored."
        )
    return place


def _access(options: argparse.Namespace) -> str | None:
    kind = WAREHOUSES[options.warehouse]
    if kind.access_needed and not options.access and not options.check:
        raise UserError(f"--access is missing: {kind.access_is} with which it reads the copy.")
    return options.access


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("warehouse", choices=WAREHOUSES)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--ddl", action="store_true", help="schema, tables, views")
    what.add_argument("--load", action="store_true", help="all rows")
    what.add_argument("--changed", action="store_true", help="what changed; needs --state")
    what.add_argument("--check", action="store_true", help="a query that finds differences")
    what.add_argument("--query", type=Path, nargs="+", metavar="FILE", help="translate analyses")
    parser.add_argument("--of", default="copia", metavar="PLACE", help="the copy (%(default)s)")
    parser.add_argument(
        "--place", metavar="ADDRESS", help="the copy as the warehouse sees it (default: --of)"
    )
    parser.add_argument(
        "--access",
        metavar="NAME",
        help="Redshift: the IAM role (arn:...); Snowflake: the storage integration",
    )
    parser.add_argument(
        "--schema", metavar="NAME", help="there; BigQuery: dataset or project.dataset (retail)"
    )
    parser.add_argument(
        "--state", type=Path, metavar="FILE", help="what the last load held; FILE.next is written"
    )
    parser.add_argument(
        "--contracts", type=Path, metavar="FILE", help="dbt's manifest (target/manifest.json)"
    )
    return parser
