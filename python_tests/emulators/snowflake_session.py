"""A session of fakesnow for the tests, in an environment of its own (its packages are others).

Reads statements as lines of JSON, answers each with a line: its rows, or its error.
"""

import json
import sys
from decimal import Decimal

import fakesnow
import snowflake.connector


def main() -> None:
    """Answer until there is no more input."""
    with (
        fakesnow.patch(),
        snowflake.connector.connect(database="almacen", schema="public") as session,
    ):
        cursor = session.cursor()
        for line in sys.stdin:
            try:
                answer = {"rows": cursor.execute(json.loads(line)).fetchall()}
            except Exception as error:  # whatever it is, the test shows it
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer, default=_to_json), flush=True)


def _to_json(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


main()
