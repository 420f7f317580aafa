"""Text that came from outside, made safe to show: on terminals, in reports, in the ledger."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path

_SURROGATES = range(0xDC80, 0xDD00)
"""What Python makes of the bytes 80-FF of a file name that is not UTF-8."""


def printable(text: str, keep: str = "") -> str:
    r"""Replace what a terminal would obey instead of show: ESC sequences, line breaks and the like.

    Args:
        text: Any text, also the name of a file that is not UTF-8.
        keep: Control characters that are left, ``"\n"`` in a message of several lines.

    Returns:
        The text, with ``\u001b`` for a control character and ``\xff`` for a byte that is no text.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _escape(c) for c in text)


def shown_name(name: str) -> str:
    r"""A file's name as the ledger holds it: printable, and different for different names.

    A backslash is doubled, so that ``a\xff`` is the byte FF and ``a\\xff`` a backslash, x, f and f.
    """
    return printable(utf8_name(name).replace("\\", "\\\\"))


def utf8_name(name: str) -> str:
    """A file's name as it is in UTF-8, whatever the locale takes its bytes for."""
    return os.fsencode(name).decode("utf-8", "surrogateescape")


def shown_path(path: Path) -> str:
    """A path for a message."""
    return printable(utf8_name(str(path)))


def _escape(character: str) -> str:
    code = ord(character)
    if code in _SURROGATES:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def never_break_on_output() -> None:
    r"""Let standard output and error escape what their encoding lacks, instead of failing.

    ``ñ`` on an output that can only do ASCII becomes ``\xf1``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
