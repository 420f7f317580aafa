"""Says now and then how far a long step is, where there is no terminal to draw a bar on.

Standard library only: the installation uses it too.
"""

from __future__ import annotations

import sys
import time


class Milestones:
    """Lines on the standard error, none before ``seconds`` have passed since the last.

    Attributes:
        what: What is done, for example ``Simulating``.
        unit: What is counted, for example ``days``.
        total: How many there are; None if nobody knows.
        seconds: Between two lines.
    """

    def __init__(self, what: str, unit: str, total: int | None, seconds: float = 10) -> None:
        """Begin; nothing is said yet."""
        self.what, self.unit, self.total, self.seconds = what, unit, total, seconds
        self.begun = self._said = time.monotonic()

    def reach(self, done: int) -> bool:
        """Note how many are done, and say so if it is time to.

        Args:
            done: Units done since the beginning.

        Returns:
            Whether a line was written.
        """
        now = time.monotonic()
        if now - self._said < self.seconds:
            return False
        self._said = now
        of = f" of {self.total:,}" if self.total else ""
        sys.stderr.write(f"{self.what}: {done:,}{of} {self.unit}, {now - self.begun:.0f} s\n")
        sys.stderr.flush()
        return True
