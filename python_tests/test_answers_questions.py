"""The answers: what is read, how it is timed and shown, and that a built database gives them."""

from __future__ import annotations

import datetime
import io
import re
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
import sqlparse
from conftest import PROJECT, Database, run_script
from rich.console import Console

from retail_platform.docs import samples
from retail_platform.errors import UserError
from retail_platform.loading.tables import RAW_TABLES
from retail_platform.reporting.answers import (
    Answer,
    Question,
    ask,
    read_questions,
    read_statements,
    to_markdown,
    to_table,
)

SEED_STATEMENTS = PROJECT / "analyses" / "seed_statements.sql"
VIEWS = (
    "mv_daily_sales_summary",
    "mv_product_performance",
    "mv_ticket_formato",
    "mv_inventory_alerts",
)


def _shown(answer: Answer, limit: int = 10) -> str:
    console = Console(width=120, file=io.StringIO())
    with console.capture() as capture:
        console.print(to_table(answer, limit))
    return capture.get()


def test_each_statement_is_titled_by_the_first_sentence_of_its_comment(tmp_path: Path) -> None:
    path = tmp_path / "some.sql"
    path.write_text(
        "-- First question; with a mark\n-- and more.\n-- Remark.\n"
        "select ';' from {{ ref('ventas') }};\n\nselect 2;\n-- only a comment\n"
    )
    first, second = read_statements(path)
    assert first.title == "First question; with a mark and more."
    assert first.statement.endswith("select ';' from retail.ventas")
    assert (second.title, second.statement) == ("some", "select 2")


def test_missing_questions_are_named(tmp_path: Path) -> None:
    (tmp_path / "q1_ventas_diarias.sql").write_text("select 1")
    with pytest.raises(UserError, match=r"q1_\*\.sql to q4_\*\.sql"):
        read_questions(tmp_path)


def test_rows_and_server_time_come_back(empty_database: Database) -> None:
    statement = "select n, pg_sleep(0.002) from generate_series(1, 3) as n"
    with closing(empty_database.connect()) as session:
        answer = ask(session, Question("three", statement), repeats=3)
    assert answer.columns == ("n", "pg_sleep")
    assert [row[0] for row in answer.rows] == [1, 2, 3]
    assert 6 <= answer.milliseconds < 1000


def test_a_database_that_is_not_built_says_what_to_do(empty_database: Database) -> None:
    for statement in ("select * from retail.ventas", "select * from sin_tabla"):
        with closing(empty_database.connect()) as session:
            with pytest.raises(UserError, match="make build"):
                ask(session, Question("none", statement))


def test_a_wrong_statement_is_named(empty_database: Database) -> None:
    with closing(empty_database.connect()) as session:
        with pytest.raises(UserError, match="'broken' failed: syntax error"):
            ask(session, Question("broken", "selec 1"))


def test_the_layout_counts_what_it_leaves_out() -> None:
    day = datetime.date(2025, 12, 31)
    rows = [(day, "Norte", Decimal("1234.5"), None), (day, "Centro", Decimal("2"), 7)]
    answer = Answer(Question("Sales", ""), ("fecha", "region", "ventas", "n"), rows, 1.234)
    shown = _shown(answer, limit=1)
    assert "1,234.50" in shown
    assert "Centro" not in shown
    assert "1 of 2 rows; 1.23 ms in the server" in shown
    assert to_markdown(answer).splitlines() == [
        "| fecha | region | ventas | n |",
        "| --- | --- | --- | --- |",
        "| 2025-12-31 | Norte | 1,234.50 |  |",
        "| 2025-12-31 | Centro | 2.00 | 7 |",
    ]


def test_the_seeds_statements_are_there_verbatim() -> None:
    text = SEED_STATEMENTS.read_text(encoding="utf-8")
    for piece in (
        "fecha >= CURRENT_DATE - INTERVAL '7 days'",
        "perf.ranking_categoria_region <= 5",
        "SUM(v.total_linea) / COUNT(DISTINCT v.ticket_id) AS ticket_promedio",
        "inv.alerta_inventario IN ('SIN_STOCK', 'STOCK_BAJO')",
    ):
        assert piece in re.sub(r"\s+", " ", text)


def test_the_readme_shows_the_questions_as_they_are_asked() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    questions, _ = read_questions(PROJECT / "analyses")
    for question in questions:
        assert question.title in readme
        without_comments = sqlparse.format(question.statement, strip_comments=True).strip()
        assert without_comments in readme, f"README.md shows another SQL for: {question.title}"


def test_every_question_is_answered_on_a_built_database(built_database: Database) -> None:
    questions, seed_statements = read_questions(PROJECT / "analyses")
    assert (len(questions), len(seed_statements)) == (4, 4)
    for question, view in zip(questions, VIEWS, strict=True):
        assert f"retail.{view}" in question.statement
    with closing(built_database.connect()) as session:
        for question in questions + seed_statements:
            # The data end on a fixed day, not yesterday: the seed's "last 7 days" has no rows then.
            rows = ask(session, question, repeats=1).rows
            assert rows or "CURRENT_DATE" in question.statement, question.title


def test_the_command_line_prints_all_answers(built_database: Database) -> None:
    arguments = ["answers.py", "--target", "ci", "--rows", "3"]
    shown = run_script(*arguments, env=built_database.environment).stdout
    assert shown.count("ms in the server") == 8
    markdown = run_script(*arguments, "--markdown", env=built_database.environment).stdout
    assert markdown.count("| --- |") >= 7


NUMBER = re.compile(r"-?[\d,]*\d(?:\.\d+)?$")
DATE = re.compile(r"\d{4}-\d\d-\d\d$")


def _shape(block: str) -> tuple[list[str], list[str]]:
    """A sample without its values: texts and headings; the kinds of its columns, "" if empty."""
    lines = block.strip().splitlines()
    texts = [line for line in lines if not line.startswith("|")]
    head, rule, *rows = (line for line in lines if line.startswith("|"))
    columns = zip(*([cell.strip() for cell in row.split("|")[1:-1]] for row in rows), strict=True)
    firsts = [next(filter(None, column), "") for column in columns]
    kinds = [
        "date" if DATE.match(cell) else "number" if NUMBER.match(cell) else cell and "text"
        for cell in firsts
    ]
    return [*texts[:-1], re.sub(r"[\d.]+", "0", texts[-1]), head, rule], kinds


def test_the_samples_of_the_readme_have_the_shape_of_todays_output(
    built_database: Database, tmp_path: Path
) -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(readme, encoding="utf-8")
    log = tmp_path / "build.log"
    lines = "".join(f" {name}  loaded  1  1  1  0  0\n" for name in RAW_TABLES)
    log.write_text(
        "PostgreSQL 18.6 is running: port 1, /some/where/.postgres\n"
        f" table  fate  files  delivered  accepted  refused  replaced\n{lines}"
        "10:00:00    retail.fact_ventas_p202501: build, new\n"
        "10:00:01  Done. PASS=1 WARN=0 ERROR=0 SKIP=0 NO-OP=0 TOTAL=1\n"
    )
    run_script(
        *["docs.py", "samples", str(page), "--target", "ci", "--log", str(log)],
        env=built_database.environment,
    )
    renewed = page.read_text(encoding="utf-8")
    assert samples.names(readme) == samples.names(renewed)
    assert samples.names(readme)[0] == "build"
    assert len(samples.names(readme)) == 5
    old, new = (
        dict(re.findall(r"<!-- sample: (\w+) -->\n(.*?)<!-- /sample -->", text, re.DOTALL))
        for text in (readme, renewed)
    )
    digits = re.compile(r"[\d.,]+")
    for name in samples.names(readme)[1:]:
        (texts, kinds), (texts_now, kinds_now) = _shape(old[name]), _shape(new[name])
        assert texts == texts_now, name
        # A small world may have no day before.
        pairs = zip(kinds, kinds_now, strict=True)
        assert [pair for pair in pairs if "" not in pair and pair[0] != pair[1]] == [], name
    assert "port 1, .../.postgres" in new["build"]
    # A table that is new stands in the README after the next full build.
    loaded = re.compile(r"^ *(raw_\w+) +loaded .*\n", re.MULTILINE)
    words = [
        " ".join(digits.sub("0", loaded.sub("", one)).split())
        for one in (old["build"], new["build"])
    ]
    assert words[0] == words[1]
    tables = loaded.findall(old["build"])
    assert tables == [name for name in RAW_TABLES if name in tables]
    assert len(tables) > 5
    outside = re.compile(r"(<!-- sample: \w+ -->\n).*?(<!-- /sample -->)", re.DOTALL)
    assert outside.sub(r"\1\2", readme) == outside.sub(r"\1\2", renewed)


def test_a_log_that_is_no_first_build_is_refused() -> None:
    with pytest.raises(UserError, match=r"no line like .*table"):
        samples.build_sample("PostgreSQL 18.6 is running: port 1, /x/.postgres\n")
