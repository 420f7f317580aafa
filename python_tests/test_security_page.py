"""docs/security.md: each sentence names a test that exists, and each test stands in a sentence."""

from __future__ import annotations

import re

from conftest import PROJECT

SENTENCE = re.compile(r"^- .*[^`] `(test_\w+)`$")


def test_each_sentence_has_its_test_and_each_test_its_sentence() -> None:
    lines = (PROJECT / "docs" / "security.md").read_text().splitlines()
    claims = [line for line in lines if line.startswith("- ")]
    unproved = [line for line in claims if not SENTENCE.match(line)]
    assert unproved == []
    named = [match[1] for line in claims if (match := SENTENCE.match(line))]
    defined = [
        name
        for path in (PROJECT / "python_tests").glob("test_security_*.py")
        if path.name != "test_security_page.py"
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    ]
    assert sorted(named) == sorted(defined)
