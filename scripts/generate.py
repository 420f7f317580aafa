"""Generate the data of the simulated retail chain; see docs/simulator.md."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # The simulator's workers import this file again and need nothing of it.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from retail_platform.simulator.cli import main

    sys.exit(main())
