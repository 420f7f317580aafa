"""``python -m retail_platform``, the same as ``retail``."""

import sys

from retail_platform.commands.cli import main

if __name__ == "__main__":
    sys.exit(main())
