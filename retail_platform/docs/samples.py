"""Renews the samples of output in a document from a run, so that they show what is printed today.

A block stands between ``<!-- sample: NAME -->`` and ``<!-- /sample -->``. NAME is a question of
``analyses/``, or ``build`` for what ``make build`` prints, of which the log is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from retail_platform.errors import UserError

ROWS = 5
"""Rows that a document shows of an answer."""

_BLOCK = re.compile(r"(<!-- sample: (\w+) -->\n)(.*?)(<!-- /sample -->)", re.DOTALL)

# What a reader recognises a build by, in this order; everything between is left out.
_BUILD = (
    r"PostgreSQL .* is running: port \d+, ",
    r" *table +fate ",
    r" *raw_\w+ +loaded ",
    r" *\S*retail\.fact_ventas_p\d+01: build, new",
    r".*Done\. PASS=",
)
_CLOCK = re.compile(r"^\d\d:\d\d:\d\d +")


def names(text: str) -> list[str]:
    """The samples of a document, in order.

    Args:
        text: The document.
    """
    return [match[2] for match in _BLOCK.finditer(text)]


def renew(text: str, sample: Callable[[str], str | None]) -> str:
    """The document with its samples renewed.

    Args:
        text: The document.
        sample: Name -> the new block without its marks; None keeps the one that is there.

    Raises:
        UserError: The document holds no sample.
    """
    if not names(text):
        raise UserError("The document holds no <!-- sample: NAME --> ... <!-- /sample -->.")

    def new(match: re.Match[str]) -> str:
        body = sample(match[2])
        return match[0] if body is None else f"{match[1]}{body.strip()}\n{match[4]}"

    return _BLOCK.sub(new, text)


def answer_sample(title: str, statement: str, table: str, rows: int, milliseconds: float) -> str:
    """The block of a question: what is asked, the SQL, the first rows, the time.

    Args:
        title: The question.
        statement: SQL, without the comment above it.
        table: The first `ROWS` rows, as Markdown.
        rows: How many rows there are.
        milliseconds: In the server.
    """
    return (
        f"{title}\n\n```sql\n{statement};\n```\n\n{table}\n\n"
        f"{min(rows, ROWS)} of {rows} rows; {milliseconds:.1f} ms in the server."
    )


def build_sample(log: str) -> str:
    """The block of a build: the lines by which a reader recognises it.

    Args:
        log: What ``make build`` printed the first time.

    Raises:
        UserError: A line is missing; it is said which.
    """
    lines = [_CLOCK.sub("", line).rstrip() for line in log.splitlines()]
    shown: list[str] = []
    for place, pattern in enumerate(_BUILD):
        found = [line for line in lines if re.match(pattern, line)]
        if not found:
            raise UserError(
                f"The log is not that of a first build: no line like {pattern!r}. "
                "Make one: make clean-db; make build | tee build.log"
            )
        if place == 0:
            found = [re.sub(r", /.*/", ", .../", found[0])]
        if pattern.startswith(" *raw_"):
            found = list(dict.fromkeys(found))
        elif place:
            found = found[-1:]
        shown += ["..."] * (place > 2) + found
    return "```text\n" + "\n".join(shown) + "\n```"
