"""Identity of the model: two versions of the simulator must not continue each other's worlds."""

import hashlib
from pathlib import Path

from retail_platform.simulator.parameters import REFERENCE

_PACKAGE = Path(__file__).parent
_WITHOUT_EFFECT = frozenset({"__init__", "defects", "fingerprint", "plans", "workers", "writer"})
"""Modules that change how a world is asked for, measured or stored, but not its data."""


def model_fingerprint() -> str:
    """Digest of all code and reference data from which the data follow."""
    sources = [path for path in _PACKAGE.glob("*.py") if path.stem not in _WITHOUT_EFFECT]
    files = sorted(sources) + sorted(REFERENCE.glob("*.csv"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
