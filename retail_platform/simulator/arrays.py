"""Names for the array types of the simulator, and the unit of its quantities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.signedinteger[Any]]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

MILLI = 1000
"""Quantities are whole thousandths of a unit."""
