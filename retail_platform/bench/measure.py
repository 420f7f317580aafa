"""Compares what statements cost, by the plans that they ran with."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from psycopg2.extensions import connection

from retail_platform.errors import UserError
from retail_platform.reporting.statements import Plan, fetch

Measurement = dict[str, Any]


def require_equal_answers(session: connection, variants: Mapping[str, str]) -> int:
    """Check that all variants of a question give the same rows in the same order.

    Args:
        session: An open session.
        variants: Name -> SQL.

    Returns:
        Number of rows.

    Raises:
        UserError: If two differ (both are named), or there are no rows.
    """
    answers = {name: fetch(session, statement) for name, statement in variants.items()}
    first, *others = answers
    if not answers[first]:
        raise UserError(f"'{first}' returned no rows: there is nothing to compare.")
    for name in others:
        if answers[name] != answers[first]:
            got, wanted = len(answers[name]), len(answers[first])
            raise UserError(
                f"'{name}' and '{first}' give different answers ({got} and {wanted} rows): "
                "their times cannot be compared."
            )
    return len(answers[first])


def alternate(
    run: Callable[[str], Plan], variants: dict[str, str], repeats: int, warm_up: int = 1
) -> dict[str, list[Plan]]:
    """Run variants in turns, so that a disturbance of the machine meets all of them.

    Args:
        run: Runs one statement and returns its plan.
        variants: Name -> SQL.
        repeats: Runs that count.
        warm_up: Runs before that do not; every second round goes backwards.
    """
    plans: dict[str, list[Plan]] = {name: [] for name in variants}
    for turn in range(warm_up + repeats):
        order = list(variants) if turn % 2 == 0 else list(reversed(variants))
        for name in order:
            plan = run(variants[name])
            if turn >= warm_up:
                plans[name].append(plan)
    return plans


def summarise(values: list[float]) -> Measurement:
    """Median, quartiles and number of runs.

    Args:
        values: One or more; the unit is the caller's.
    """
    low, middle, high = (
        statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    )
    return {
        "median": round(middle, 3),
        "q1": round(low, 3),
        "q3": round(high, 3),
        "n": len(values),
    }


def nodes(plan: Plan) -> Iterator[Plan]:
    """Every node of a plan that was executed, from the root down."""
    pending = [plan["Plan"]]
    while pending:
        node = pending.pop()
        if node["Actual Loops"]:
            yield node
            pending.extend(node.get("Plans", []))


def relations_read(plan: Plan) -> set[str]:
    """Names of the tables that a plan read, partitions by their own."""
    return {node["Relation Name"] for node in nodes(plan) if "Relation Name" in node}


def indexes_used(plan: Plan) -> set[str]:
    """Names of the indexes that a plan used."""
    return {node["Index Name"] for node in nodes(plan) if "Index Name" in node}


def megabytes_touched(plan: Plan) -> float:
    """Pages found in the cache or read from disk, in MB (8 kB pages)."""
    root = plan["Plan"]
    pages = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
    return round(pages * 8 / 1024, 2)


def outline(node: Plan) -> Plan:
    """A plan's nodes that were executed with what tells them apart, small enough to keep."""
    kept = {
        "node": node["Node Type"],
        "on": node.get("Relation Name"),
        "index": node.get("Index Name"),
        "rows": node["Actual Rows"],
        "loops": node["Actual Loops"],
        "plans": [outline(child) for child in node.get("Plans", []) if child["Actual Loops"]],
    }
    return {key: value for key, value in kept.items() if value not in (None, [])}
