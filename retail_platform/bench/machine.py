"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import psutil
from psycopg2.extensions import connection

from retail_platform.bench.measure import Measurement
from retail_platform.reporting.statements import fetch


def describe(session: connection) -> Measurement:
    """The machine of the client and the server's version and settings.

    Args:
        session: An open session.

    Returns:
        Settings are those that differ from PostgreSQL's defaults and matter for speed.
    """
    settings = fetch(
        session,
        """
        select name, current_setting(name)
        from pg_settings
        where source not in ('default', 'override', 'client', 'session')
            and category ~ '^(Resource|Query|Write-Ahead|Replication|Autovacuum)'
        order by name
        """,
    )
    [[version]] = fetch(session, "show server_version")
    load = os.getloadavg()[1] if hasattr(os, "getloadavg") else 0.0
    return {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": psutil.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1024**3, 1),
        "load_average_5_min": round(load, 1),
        "python": platform.python_version(),
        "postgresql": version.split()[0],
        "settings": dict(settings),
    }


def _processor() -> str:
    """Name of the processor, as Linux knows it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
