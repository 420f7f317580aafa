"""Tables of the documentation that repeat what the code, the database or a command says."""

from __future__ import annotations

import re
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from conftest import PROJECT, Database

from retail_platform.loading.tables import RAW_TABLES
from retail_platform.roles import ROLES
from retail_platform.runs import Outcome

DOCS = PROJECT / "docs"
VARIABLE = re.compile(r"""["'](RETAIL_[A-Z_]*[A-Z])["']""")


def section(page: str, heading: str = "") -> str:
    """A page's text, from a heading to the next one of its level."""
    text = (DOCS / page).read_text(encoding="utf-8")
    if not heading:
        return text
    [_, text] = re.split(rf"^## {heading}.*$", text, maxsplit=1, flags=re.M)
    return re.split(r"^## ", text, maxsplit=1, flags=re.M)[0]


def rows(text: str, first: str) -> list[list[str]]:
    """Cells of the table whose first column has this heading, without quotation marks of code."""
    [table] = re.findall(rf"^\| {first} \|.*\n\|[-|: ]+\n((?:\|.*\n)+)", text, flags=re.M)
    return [
        [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in table.splitlines()
    ]


def sources(*patterns: str) -> list[Path]:
    return [path for pattern in patterns for path in sorted(PROJECT.glob(pattern))]


def test_every_environment_variable_that_is_read_is_described_once() -> None:
    code = sources(
        *("retail_platform/**/*.py", "scripts/*.py", "profiles.yml.example", "dbt_project.yml"),
        *("macros/**/*.sql", "packages/*/macros/**/*.sql", "models/**/*"),
    )
    read = {name for path in code if path.is_file() for name in VARIABLE.findall(path.read_text())}
    described = [
        row[0]
        for page, heading in (("interfaces.md", "Settings"), ("rds.md", "Connection"))
        for row in rows(section(page, heading), "variable")
    ]
    assert sorted(described) == sorted(read)


def test_defaults_of_the_connections_are_those_of_the_profile() -> None:
    profile = (PROJECT / "profiles.yml.example").read_text()
    defaults = dict(re.findall(r"env_var\('(\w+)'(?:, '(.*?)')?\)", profile))
    described = {
        row[0]: {"-": "", "empty": ""}.get(row[1], row[1])
        for page, heading in (("interfaces.md", "Settings"), ("rds.md", "Connection"))
        for row in rows(section(page, heading), "variable")
    }
    assert {name: described[name] for name in defaults} == defaults


def test_settings_of_make_are_those_it_says() -> None:
    shown = subprocess.run(
        ["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    said = dict(re.findall(r"\b([A-Z_]+)=(\S+)", shown.stdout.splitlines()[-1]))
    described = {row[0]: row[1] for row in rows(section("interfaces.md", "Settings"), "setting")}
    assert described == said | {"END_DATE": "yesterday"}


def test_vars_of_the_project_are_described_with_their_defaults() -> None:
    declared = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
    declared = {name: value for name, value in declared.items() if not isinstance(value, dict)}
    described = {row[0]: row[1] for row in rows(section("interfaces.md", "Settings"), "var")}
    used = "".join(
        path.read_text()
        for path in sources(
            *("macros/**/*.sql", "packages/*/macros/**/*.sql"),
            *("models/**/*.sql", "models/**/*.yml"),
        )
    )
    assert declared.keys() <= described.keys()
    for name, default in described.items():
        assert re.search(rf"var\(['\"]{name}['\"]", used), f"nothing reads the var {name}"
        if declared.get(name) is not None:
            assert default == str(declared[name]), name


def test_columns_that_may_be_empty_are_listed() -> None:
    [sentence] = re.findall(
        r"^Optional values: (.*?)\. Everything else", section("load-gate.md"), re.M | re.S
    )
    optional = {
        column.name
        for table in RAW_TABLES.values()
        for column in table.columns
        if not column.required
    }
    assert set(re.findall(r"`(\w+)`", sentence)) == optional


def test_the_ledger_is_the_one_described(built_database: Database) -> None:
    statements = "\n".join(re.findall(r"```sql\n(.*?)```", section("interfaces.md"), flags=re.S))
    tables = re.findall(r"create table (\w+)\.(\w+)", statements)
    columns = """
        select attname::text, format_type(atttypid, atttypmod), attnotnull,
            pg_get_expr(adbin, adrelid)
        from pg_attribute
        left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attrelid = %s::regclass and attnum > 0 and not attisdropped
        order by attnum
    """
    with closing(built_database.connect()) as session, session.cursor() as cursor:
        cursor.execute("create schema described")
        cursor.execute(re.sub(r"create table \w+\.", "create table described.", statements))
        assert len(tables) == 3
        for schema, table in tables:
            found = []
            for name in (f"{schema}.{table}", f"described.{table}"):
                cursor.execute(columns, [name])
                found.append(cursor.fetchall())
            assert found[0] == found[1], table
        session.rollback()


@pytest.mark.parametrize(
    ("value", "table"),
    [
        ("canal", "fact_ventas"),
        ("formato", "dim_tienda"),
        ("cadena", "dim_tienda"),
        ("region", "dim_tienda"),
        ("categoria", "dim_producto"),
    ],
)
def test_reference_values_are_those_of_the_data(
    built_database: Database, value: str, table: str
) -> None:
    described = dict(rows(section("interfaces.md", "Reference data"), "value"))
    found = built_database.query(f"select distinct {value} from retail.{table}")
    assert {name.strip("` ") for name in described[value].split(",")} == {name for (name,) in found}


def test_exit_codes_of_the_daily_run_are_explained() -> None:
    explained = [int(row[0]) for row in rows(section("runbook.md", "Daily run"), "exit code")]
    assert explained == [outcome.value for outcome in Outcome]


def test_roles_are_those_that_are_made() -> None:
    described = {
        re.match(r"\w+", row[0])[0]: (row[1], row[2].lower())  # type: ignore[index]
        for row in rows(section("rds.md", "Roles"), "role")
    }
    assert described == {
        role.name: ("yes" if role.password_variable else "no", ", ".join(role.database) or "-")
        for role in ROLES
    }


def test_the_first_page_claims_no_speed_that_was_not_measured() -> None:
    opening = (PROJECT / "README.md").read_text(encoding="utf-8").split("## Two commands")[0]
    claimed = re.findall(r"([\d.,]*\d) (?:ms|s|times|million)\b", opening)
    claimed += re.findall(r"([\d.,]*\d) to [\d.,]+ times", opening)
    measured = set(re.findall(r"[\d.,]*\d", section("performance.md")))
    assert len(claimed) > 8
    assert set(claimed) - measured == set()
