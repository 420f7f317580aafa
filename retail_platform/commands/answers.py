"""Prints the answers to the four business questions, and what the seed's own statements return."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing

from rich.console import Console

from retail_platform.postgres.connection import connect
from retail_platform.project import require_project
from retail_platform.reporting.answers import ask, read_questions, to_markdown, to_table
from retail_platform.targets import connection_parameters


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="local", help="a target of profiles.yml")
    parser.add_argument("--rows", type=int, default=8, help="rows to show of each answer")
    parser.add_argument("--markdown", action="store_true", help="print Markdown, for documents")
    options = parser.parse_args(argv)

    questions, seed_statements = read_questions(require_project() / "analyses")
    # Piped output has no terminal to fit into: wide enough for every column.
    console = Console() if sys.stdout.isatty() else Console(width=160)
    with closing(connect(connection_parameters(options.target))) as session:
        for heading, group in (
            ("The four business questions", questions),
            ("The seed's own statements, verbatim", seed_statements),
        ):
            console.print(f"\n[bold]{heading}[/bold]\n")
            for question in group:
                answer = ask(session, question)
                if options.markdown:
                    print(f"\n**{question.title}** ({answer.milliseconds:.2f} ms)\n")
                    print(to_markdown(answer, options.rows))
                else:
                    console.print(to_table(answer, options.rows), "")
    return 0
