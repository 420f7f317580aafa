"""Install a lock with pip and say how far it is, with any Python that is new enough."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    # Not through the list of commands: nothing else is installed yet.
    from retail_platform.commands.install import main

    sys.exit(main())
