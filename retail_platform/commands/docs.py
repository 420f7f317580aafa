"""Makes documents: the data dictionary's page, the ER diagram, samples, pictures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from retail_platform.project import require_project


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and run one command."""
    options = _parser().parse_args(argv)
    # Imported where they are used: the pictures need matplotlib, repairing does not.
    match options.command:
        case "repair":
            from retail_platform.docs.dictionary import repair_folder

            written = repair_folder(options.target or require_project() / "target")
        case "erd":
            from retail_platform.docs.erd import write_page

            written = write_page(
                options.manifest or require_project() / "target" / "manifest.json",
                options.output or require_project() / "docs",
            )
        case "samples":
            written = _renew(options.document, options.target, options.log)
        case _:
            from retail_platform.docs.pictures import draw_pictures

            written = draw_pictures(
                options.data, options.output or require_project() / "docs/pictures/simulator"
            )
    for path in written:
        print(path)
    return 0


def _renew(document: Path | None, target: str, log: Path | None) -> list[Path]:
    """Ask the questions whose samples a document shows, and write it anew."""
    from retail_platform.docs import samples
    from retail_platform.postgres.connection import connect
    from retail_platform.reporting.answers import ask, find_questions, to_markdown
    from retail_platform.targets import connection_parameters

    project = require_project()
    path = document or project / "README.md"
    with closing(connect(connection_parameters(target))) as session:

        def sample(name: str) -> str | None:
            if name == "build":
                return samples.build_sample(log.read_text(encoding="utf-8")) if log else None
            [question] = find_questions(project / "analyses", [name])
            answer = ask(session, question)
            return samples.answer_sample(
                question.title,
                question.sql,
                to_markdown(answer, samples.ROWS),
                len(answer.rows),
                answer.milliseconds,
            )

        text = samples.renew(path.read_text(encoding="utf-8"), sample)
    path.write_text(text, encoding="utf-8")
    return [path]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    repair = commands.add_parser("repair", help="repair the pages that dbt docs generate wrote")
    repair.add_argument("target", nargs="?", type=Path, help="dbt's target folder")
    diagram = commands.add_parser("erd", help="write docs/erd.md and its pictures")
    diagram.add_argument("--manifest", type=Path, help="of dbt (target/manifest.json)")
    diagram.add_argument("--output", type=Path, help="folder (docs)")
    samples = commands.add_parser("samples", help="renew the samples of output in a document")
    samples.add_argument("document", nargs="?", type=Path, help="(README.md)")
    samples.add_argument("--target", default="local", help="a target of profiles.yml")
    samples.add_argument("--log", type=Path, help="what `make build` printed, for the sample build")
    pictures = commands.add_parser("pictures", help="draw the pictures of docs/simulator.md")
    pictures.add_argument("--data", type=Path, default=Path("data"), help="a clean world (data)")
    pictures.add_argument("--output", type=Path, help="folder (docs/pictures/simulator)")
    return parser
