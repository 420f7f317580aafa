"""Runs the DAG once in this process, without scheduler and web server: `run_dag.py [FROM TO]`."""

import sys
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("dags")))
from retail_night import dag  # noqa: E402


def main() -> int:
    """Run it; 1 if a task failed."""
    params = {}
    if len(sys.argv) == 3:
        first, last = (date.fromisoformat(text).isoformat() for text in sys.argv[1:])
        params = {"first": first, "last": last}
    run = dag.test(run_conf=params)
    return 0 if run is not None and run.state == "success" else 1


if __name__ == "__main__":
    sys.exit(main())
