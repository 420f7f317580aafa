"""Back up what no build can make again: the same as `retail backup`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from retail_platform.commands.cli import run

    sys.exit(run("backup"))
