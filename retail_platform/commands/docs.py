"""Makes documents from the platform: repairs the data dictionary's page, draws the ER diagram."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from retail_platform.docs.dictionary import repair_folder
from retail_platform.docs.erd import PAGE, draw, read_tables, to_page
from retail_platform.targets import PROJECT


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and run one command."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    repair = commands.add_parser("repair", help="repair the pages that dbt docs generate wrote")
    repair.add_argument("target", nargs="?", type=Path, default=PROJECT / "target")
    diagram = commands.add_parser("erd", help="write docs/erd.md and its pictures")
    diagram.add_argument("--manifest", type=Path, default=PROJECT / "target" / "manifest.json")
    diagram.add_argument("--output", type=Path, default=PROJECT / "docs")
    options = parser.parse_args(argv)
    if options.command == "repair":
        written = repair_folder(options.target)
    else:
        tables = read_tables(options.manifest)
        page = options.output / PAGE
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(to_page(tables), encoding="utf-8")
        written = [page, *draw(tables, options.output)]
    for path in written:
        print(path)
    return 0
