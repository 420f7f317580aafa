"""What a page points to exists: files, headings, commands of make and of retail."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from conftest import PROJECT

OTHERS = {"dbt_packages", "target", "logs", "data", "build"}


def files(*patterns: str) -> list[Path]:
    """The project's files, without what its commands make."""
    found = {path for pattern in patterns for path in PROJECT.rglob(pattern) if path.is_file()}
    parts = {path: path.relative_to(PROJECT).parts[:-1] for path in found}
    return sorted(
        path
        for path in found
        if not any(part in OTHERS or part.startswith(".") for part in parts[path])
    )


PAGES = files("*.md")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
FENCE = re.compile(r"^```.*?^```", flags=re.M | re.S)


def headings(page: Path) -> list[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    found: list[str] = []
    for title in re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), flags=re.M):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title)
        anchor = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        seen = sum(1 for other in found if re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", other))
        found.append(f"{anchor}-{seen}" if seen else anchor)
    return found


def code(page: Path) -> list[str]:
    """Lines of code blocks and words in quotation marks of code."""
    text = page.read_text()
    blocks = [
        re.sub(r"(^|\s)#.*", "", line)  # what a comment says is prose
        for block in FENCE.findall(text)
        for line in block.splitlines()[1:-1]
    ]
    return blocks + re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


@cache
def targets() -> set[str]:
    """What make knows, by its own account."""
    shown = subprocess.run(
        ["make", "--print-data-base", "--question", "help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    return set(re.findall(r"^([a-z][\w-]*):(?!=)", shown.stdout, flags=re.M))


@each_page
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text()))
    links = re.findall(r"\]\(([^)\s]+)[^)]*\)", text)
    links += re.findall(r'(?:src|srcset)="([^"]+)"', text)
    dead = []
    for link in links:
        # Addresses elsewhere, and places within dbt's page.
        if re.match(r"[a-z]+:|#!", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in headings(target)):
            dead.append(link)
    assert dead == []


@each_page
def test_commands_of_make_exist(page: Path) -> None:
    named = [
        word
        for line in code(page)
        for words in re.findall(r"(?:^|[;&|(] *)make((?: +[a-z][a-z-]*(?![\w=]))+)", line)
        for word in words.split()
    ]
    assert set(named) <= targets()


@each_page
def test_commands_of_retail_and_scripts_exist(page: Path) -> None:
    cli = pytest.importorskip("retail_platform.commands.cli")
    lines = code(page)
    named = {name for line in lines for name in re.findall(r"\bretail ([a-z_]+)", line)}
    assert named <= set(cli.COMMANDS)
    scripts = {name for line in lines for name in re.findall(r"\bscripts/\w+\.py", line)}
    assert [name for name in sorted(scripts) if not (PROJECT / name).is_file()] == []
