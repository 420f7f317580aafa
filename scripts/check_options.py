"""Check the settings of `make` with any Python, before anything is installed."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    # Not through the list of commands, which an old Python cannot read.
    from retail_platform.commands.options import main

    sys.exit(main())
