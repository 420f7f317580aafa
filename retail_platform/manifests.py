"""The manifest of a simulated world: what its writer and the load gate both know of it."""

import re
from typing import Any

MANIFEST = "manifest.json"

FileEntry = dict[str, Any]
"""What a manifest says of a file: ``sha256``, ``rows``, ``first_day``, ``last_day``."""

WORLD_FILES = re.compile(
    r"(productos|tiendas|promociones)\.(parquet|csv)"
    r"|(ventas|inventario|devoluciones|pedidos)/\3_\d{6}\.(parquet|csv)"
)
"""Names that only the simulator gives; other files in its folders are somebody's deliveries."""
