"""Makes documents: the data dictionary's page, the ER diagram, the simulator's pictures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from retail_platform.project import require_project


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and run one command."""
    options = _parser().parse_args(argv)
    # Imported where they are used: the pictures need matplotlib, repairing does not.
    match options.command:
        case "repair":
            from retail_platform.docs.dictionary import repair_folder

            written = repair_folder(options.target or require_project() / "target")
        case "erd":
            from retail_platform.docs.erd import write_page

            written = write_page(
                options.manifest or require_project() / "target" / "manifest.json",
                options.output or require_project() / "docs",
            )
        case _:
            from retail_platform.docs.pictures import draw_pictures

            written = draw_pictures(
                options.data, options.output or require_project() / "docs/pictures/simulator"
            )
    for path in written:
        print(path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    repair = commands.add_parser("repair", help="repair the pages that dbt docs generate wrote")
    repair.add_argument("target", nargs="?", type=Path, help="dbt's target folder")
    diagram = commands.add_parser("erd", help="write docs/erd.md and its pictures")
    diagram.add_argument("--manifest", type=Path, help="of dbt (target/manifest.json)")
    diagram.add_argument("--output", type=Path, help="folder (docs)")
    pictures = commands.add_parser("pictures", help="draw the pictures of docs/simulator.md")
    pictures.add_argument("--data", type=Path, default=Path("data"), help="a clean world (data)")
    pictures.add_argument("--output", type=Path, help="folder (docs/pictures/simulator)")
    return parser
