"""Errors that a user can act on, and how a command line reports them."""

from __future__ import annotations

import sys
from collections.abc import Callable


class UserError(Exception):
    """A problem that its message explains: what was got, what is allowed, what to do."""


def report_user_errors(main: Callable[[], int | None]) -> int:
    """Run a command line's ``main``; a `UserError` becomes a message and exit code 1.

    Args:
        main: The command; returns its exit code, None meaning 0.

    Returns:
        The exit code for ``sys.exit``; 130 after Ctrl-C, as shells report it.
    """
    try:
        return main() or 0
    except UserError as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
