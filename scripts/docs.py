"""Makes documents from the platform: repairs the data dictionary's page, draws the ER diagram."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from retail_platform.docs.dictionary import repair_folder
from retail_platform.errors import report_user_errors

PROJECT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Parse the command line and run one command."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    repair = commands.add_parser("repair", help="repair the pages that dbt docs generate wrote")
    repair.add_argument("target", nargs="?", type=Path, default=PROJECT / "target")
    options = parser.parse_args()
    for page in repair_folder(options.target):
        print(page)
    return 0


if __name__ == "__main__":
    sys.exit(report_user_errors(main))
