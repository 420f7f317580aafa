"""The data dictionary: everything is described, it opens in a browser, and PostgreSQL knows it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from conftest import PROJECT, Database, free_port, run_dbt, run_script
from playwright.sync_api import Page, expect, sync_playwright

from retail_platform.docs.dictionary import QUESTIONS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NO_CHROMIUM = "no Chromium installed (Debian: apt-get install chromium)"


@pytest.fixture(scope="module")
def dictionary(built_database: Database) -> tuple[Path, str]:
    """The target folder of dbt with the data dictionary in one file, and what dbt said."""
    result = run_dbt("docs", "generate", "--static", database=built_database)
    target = built_database.folder / "target"
    run_script("docs.py", "repair", str(target))
    return target, result.stdout + result.stderr


@pytest.fixture(scope="module")
def manifest(dictionary: tuple[Path, str]) -> dict[str, Any]:
    return json.loads((dictionary[0] / "manifest.json").read_text())


@pytest.fixture(scope="module")
def catalog(dictionary: tuple[Path, str]) -> dict[str, Any]:
    return json.loads((dictionary[0] / "catalog.json").read_text())


def test_docs_generate_prints_no_warning(dictionary: tuple[Path, str]) -> None:
    assert "warn" not in dictionary[1].lower()


def test_everything_is_described(manifest: dict[str, Any]) -> None:
    own = [
        item
        for kind in ("nodes", "sources", "exposures")
        for item in manifest[kind].values()
        if item["resource_type"] in ("model", "seed", "snapshot", "source", "analysis", "exposure")
    ]
    assert len(own) > 50
    assert [item["unique_id"] for item in own if not item["description"].strip()] == []
    assert [
        f"{item['unique_id']}.{name}"
        for item in own
        for name, column in item.get("columns", {}).items()
        if not column["description"].strip()
    ] == []


def test_macros_and_their_arguments_are_described(manifest: dict[str, Any]) -> None:
    # This project's own macros, and what it calls of the package: that is the package's interface.
    callers = [
        *manifest["nodes"].values(),
        *(one for one in manifest["macros"].values() if one["package_name"] == "retail"),
    ]
    called = {name for one in callers for name in one["depends_on"].get("macros", [])}
    public = [
        macro
        for name, macro in manifest["macros"].items()
        if not macro["name"].startswith(("_", "materialization_"))
        and (
            macro["package_name"] == "retail"
            or (name.startswith("macro.pg_lifecycle.") and name in called)
        )
    ]
    assert {"cutoff_date", "partition_filter", "test_totals_equal"} <= {
        macro["name"] for macro in public
    }
    assert [macro["name"] for macro in public if not macro["description"].strip()] == []
    assert [
        f"{macro['name']}({argument['name']})"
        for macro in public
        for argument in macro["arguments"]
        if not (argument["description"] or "").strip()
    ] == []


def test_no_column_of_the_database_is_missing(
    manifest: dict[str, Any], catalog: dict[str, Any]
) -> None:
    for kind in ("nodes", "sources"):
        for unique_id, relation in catalog[kind].items():
            described = manifest[kind][unique_id]["columns"]
            assert set(relation["columns"]) == set(described), unique_id


def test_the_models_say_their_grain(manifest: dict[str, Any]) -> None:
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert [node["name"] for node in models if "Grain" not in node["description"]] == []


def test_shared_descriptions_have_an_example_and_are_used(manifest: dict[str, Any]) -> None:
    blocks = {
        doc["name"]: doc["block_contents"]
        for doc in manifest["docs"].values()
        if doc["path"] == "docs/columns.md"
    }
    texts = {
        column["description"]
        for kind in ("nodes", "sources")
        for item in manifest[kind].values()
        for column in item.get("columns", {}).values()
    }
    assert [name for name, text in blocks.items() if "Example" not in text] == []
    assert [name for name, text in blocks.items() if text not in texts] == []


def test_descriptions_are_comments_in_the_database_and_on_every_partition(
    built_database: Database, manifest: dict[str, Any]
) -> None:
    marts = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["schema"] in ("retail", "cuarentena")
        and node["config"]["materialized"] != "ephemeral"
    ]
    comments = {
        (relation, column): comment
        for relation, column, comment in built_database.query(
            """
            select
                format('%s.%s/%s', nspname, coalesce(parent.relname, own.relname), own.relname),
                attname::text,
                col_description(own.oid, attnum)
            from pg_class as own
            inner join pg_namespace on pg_namespace.oid = own.relnamespace
            inner join pg_attribute on attrelid = own.oid and attnum > 0 and not attisdropped
            left join pg_inherits on inhrelid = own.oid
            left join pg_class as parent on parent.oid = inhparent
            where nspname in ('retail', 'cuarentena') and own.relkind in ('r', 'p', 'v', 'm')
            """
        )
    }
    partitions = 0
    for node in marts:
        name = f"{node['schema']}.{node['alias']}"
        relations = {key[0] for key in comments if key[0].startswith(f"{name}/")}
        assert relations, name
        partitions += len(relations) - 1
        for relation in relations:
            for column in node["columns"].values():
                assert comments[relation, column["name"]] == column["description"], relation
    assert partitions > 60


@pytest.fixture(scope="module")
def console_errors() -> list[str]:
    """What the browser complained about so far."""
    return []


@pytest.fixture(scope="module")
def requests() -> list[str]:
    """What the browser asked for so far."""
    return []


@pytest.fixture(scope="module")
def page(
    dictionary: tuple[Path, str], console_errors: list[str], requests: list[str]
) -> Iterator[Page]:
    """The data dictionary in headless Chromium."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as playwright:
        # Root needs --no-sandbox, and tests may run as root.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1400, "height": 900})
        opened.set_default_timeout(15_000)
        opened.on("pageerror", lambda error: console_errors.append(str(error)))
        opened.on(
            "console",
            lambda said: console_errors.append(said.text) if said.type == "error" else None,
        )
        opened.on("request", lambda request: requests.append(request.url))
        opened.goto((dictionary[0] / "static_index.html").as_uri())
        yield opened
        browser.close()


def test_the_overview_opens_without_console_errors(page: Page, console_errors: list[str]) -> None:
    expect(page.get_by_role("heading", name="The business questions")).to_be_visible()
    assert console_errors == []


def test_the_overview_links_to_the_views(page: Page) -> None:
    page.get_by_role("link", name="mv_ticket_formato").first.click()
    expect(page.get_by_role("heading", name="mv_ticket_formato")).to_be_visible()
    expect(page.get_by_text("any range of dates is answered")).to_be_visible()


def test_a_search_for_a_column_finds_its_view(page: Page) -> None:
    page.get_by_placeholder("Search for models").fill("ticket_promedio")
    page.locator("label", has_text="Column").first.click()
    expect(page.get_by_text("search results").first).to_be_visible()
    expect(page.get_by_role("heading", name="mv_daily_sales_summary model")).to_be_visible()


NODES = """
() => angular.element(document.body).injector().get('graph').graph.elements
    .map(one => one.data.unique_id).filter(id => id && !id.includes('|'))
"""


def test_the_lineage_graph_opens_on_the_four_questions(
    page: Page, console_errors: list[str], manifest: dict[str, Any]
) -> None:
    page.goto(page.url.split("#")[0])
    page.get_by_title("View Lineage Graph").click()
    canvas = page.locator("canvas").first
    expect(canvas).to_be_visible()
    assert canvas.bounding_box()["height"] > 200
    shown = set(page.evaluate(NODES))
    answers = {f"model.retail.{name}" for name in QUESTIONS}
    wanted, parents = set(), set(answers)
    while parents:
        wanted |= parents
        parents = {
            parent for one in parents for parent in manifest["parent_map"].get(one, [])
        } - wanted
    assert shown == wanted
    assert len(shown) > 15
    assert console_errors == []


def test_icons_are_drawn_and_nothing_is_asked_of_anybody(page: Page, requests: list[str]) -> None:
    page.goto(page.url.split("#")[0])
    drawn = """
    () => [...document.querySelectorAll('use')]
        .filter(use => use.closest('svg').getClientRects().length)
        .map(use => use.getBBox().width)
    """
    page.wait_for_function(f"() => ({drawn})().filter(width => width > 0).length > 5")
    assert {urlsplit(url).path.rpartition("/")[2] for url in requests if url[:5] != "data:"} == {
        "static_index.html"
    }


def test_the_dictionary_is_served(dictionary: tuple[Path, str], built_database: Database) -> None:
    port = free_port()
    command = [str(Path(sys.executable).parent / "dbt"), "docs", "serve", "--no-browser"]
    folders = {"DBT_TARGET_PATH": str(dictionary[0]), "DBT_LOG_PATH": str(dictionary[0])}
    with subprocess.Popen(
        [*command, "--port", str(port), "--target", "ci", "--project-dir", str(PROJECT)],
        env=os.environ | built_database.environment | folders,
        stdout=subprocess.DEVNULL,
    ) as server:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    with urlopen(f"http://127.0.0.1:{port}/manifest.json") as answer:
                        assert "model.retail.fact_ventas" in json.load(answer)["nodes"]
                    break
                except URLError:
                    assert time.monotonic() < deadline
                    assert server.poll() is None
                    time.sleep(0.2)
        finally:
            server.terminate()
