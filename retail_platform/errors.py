"""Errors that a user can act on, and how a command line reports them."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from retail_platform.text import never_break_on_output, printable

USER_ERROR = 1
UNEXPECTED = 70
"""EX_SOFTWARE of sysexits.h: the fault is the program's, not the user's."""
TEMPORARY = 75
"""EX_TEMPFAIL of sysexits.h: the same again may work, for example when a server is back."""
INTERRUPTED = 130
_CLOSED_PIPE = 141


class UserError(Exception):
    """A problem that its message explains: what was got, what is allowed, what to do.

    Attributes:
        exit_code: That of the command line which it ends.
    """

    exit_code: ClassVar[int] = USER_ERROR


def report_user_errors(main: Callable[[], int | None]) -> int:
    """Run a command line's ``main`` so that no traceback reaches the user.

    Args:
        main: The command; returns its exit code, None meaning 0.

    Returns:
        The exit code for ``sys.exit``: a `UserError`'s own (1 as a rule), 130 after Ctrl-C and 141
        when nobody reads the output any more, as shells report them, 70 after an error of the
        program itself.
    """
    never_break_on_output()
    try:
        code = main() or 0
        sys.stdout.flush()
        return code
    except UserError as error:
        sys.stdout.flush()
        _say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # What is still buffered would fail once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE
    except Exception as error:
        _say(f"error: {unexpected(error)}")
        return UNEXPECTED


def unexpected(error: BaseException) -> str:
    """One line about an error that nobody foresaw; its traceback goes into a file.

    Args:
        error: The error, with its traceback.
    """
    line = f"an error of the program itself, {type(error).__name__}: {error}".splitlines()[0]
    try:
        descriptor, name = tempfile.mkstemp(prefix="retail-error-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
            traceback.print_exception(error, file=log)
    except OSError:
        return f"{line[:500]} (its details could not be written to {tempfile.gettempdir()})"
    return f"{line[:500]}. Please report it with {Path(name)}"


def _say(message: str) -> None:
    sys.stderr.write(printable(message, keep="\n\t") + "\n")
