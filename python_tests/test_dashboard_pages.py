"""The dashboard in a real browser: what it shows, hands out, remembers, and says when it cannot."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import PROJECT, Database, free_port
from playwright.sync_api import Browser, Page, expect, sync_playwright
from psycopg2 import sql

from retail_platform.postgres.connection import connect
from retail_platform.postgres.server import LocalServer

pytest.importorskip("streamlit", reason="[dashboard] is not installed: make test installs it")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NO_CHROMIUM = "no Chromium installed (Debian: apt-get install chromium)"
# Fetched for the run of the tests only: nothing of it is installed or kept.
AXE = "axe-core@4.14.1"
AXE_SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"
PAGES = {
    "": "Resumen",
    "resumen": "Resumen",
    "tiendas": "Tiendas",
    "productos": "Productos",
    "precios": "Precios y promociones",
    "inventario": "Inventario",
    "calidad": "Calidad de datos",
}


@contextmanager
def served(database: Database) -> Iterator[str]:
    """The dashboard of a database on a free port."""
    port = free_port()
    log = database.folder / f"dashboard-{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.server", "--target", "ci", "--port", str(port)],
            cwd=PROJECT,
            env=os.environ | database.environment,
            stdout=output,
            stderr=output,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                    break
            except (URLError, ConnectionError):
                assert process.poll() is None, log.read_text()
                time.sleep(0.25)
        yield address
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def address(built_database: Database) -> Iterator[str]:
    with served(built_database) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as playwright:
        # Root needs --no-sandbox, and tests may run as root.
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, which looks for what keeps people from using a page."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm installed, which fetches axe-core (Debian: apt-get install npm)")
    folder = tmp_path_factory.mktemp("axe")
    command = [npm, "pack", AXE, "--silent", "--fetch-retries=0", "--fetch-timeout=20000"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    except subprocess.SubprocessError:
        pytest.skip(f"npm cannot fetch {AXE}: no registry in reach")
    [file] = folder.glob("*.tgz")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == AXE_SHA256
    with tarfile.open(file) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script
        return script.read().decode()


@pytest.fixture
def said() -> list[str]:
    """What the browser complained about, and what it asked of others than the dashboard."""
    return []


@pytest.fixture
def page(browser: Browser, address: str, said: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    opened.on(
        "request",
        lambda request: (
            said.append(request.url)
            if urlsplit(request.url).scheme.startswith("http")
            and not request.url.startswith(address)
            else None
        ),
    )
    yield opened
    context.close()


def settled(page: Page) -> Page:
    """Streamlit writes a page from top to bottom: what stands below may be of the page before."""
    page.locator("[data-test-script-state=notRunning]").wait_for()
    return page


def opened(page: Page, address: str, path: str = "/") -> Page:
    page.goto(f"{address}{path}")
    expect(page.locator(".bloque h1")).to_be_visible()
    return settled(page)


def figure(page: Page, key: str) -> str:
    settled(page)
    return page.locator(f'[data-cifra="{key}"] .valor').first.inner_text()


def against(page: Page, key: str, place: int) -> str:
    """What a figure is compared with: 0 the year before, 1 the plan; without the sign drawn."""
    cell = page.locator(f'[data-cifra="{key}"] td').nth(place + 1)
    return cell.inner_text().strip(" ▲▼=\n")


def signed(number: Decimal, unit: str) -> str:
    """A number with its sign, as the page writes it."""
    return f"{number:+.1f} {unit}".replace("-", "−")


def table(page: Page, title: str) -> list[list[str]]:
    """Cells of a table of the page by its caption."""
    settled(page)
    rows = page.locator("table").filter(has=page.locator("caption", has_text=title)).first
    return [
        [cell.strip() for cell in row.locator("td").all_inner_texts()]
        for row in rows.locator("tbody tr").all()
    ]


def downloaded(page: Page, label: str) -> bytes:
    page.get_by_text("Descargar", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name=label).click()
    page.keyboard.press("Escape")
    return Path(download.value.path()).read_bytes()


def shown_money(value: Decimal) -> str:
    """Money as the page writes it, computed in another way than the page does."""
    for size, name in ((10**6, " M"), (10**3, " mil")):
        if value >= size:
            scaled = value / size
            return f"${scaled:,.{0 if scaled >= 100 else 1 if scaled >= 10 else 2}f}{name}"
    return f"${value:,.0f}"


def contrast(page: Page) -> list[str]:
    """Texts of the page with less than 4.5 : 1 on their background."""
    return page.evaluate(
        """() => {
        const canvas = document.createElement('canvas').getContext('2d');
        const rgb = (css) => {
            canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data];
        };
        const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
        const behind = (one) => {
            for (let at = one; at; at = at.parentElement) {
                const found = rgb(getComputedStyle(at).backgroundColor);
                if (found[3] > 250) return found;
            }
            return [255, 255, 255];
        };
        return [...document.querySelectorAll('.bloque *')]
            .filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
            .filter(one => one.checkVisibility({visibilityProperty: true}))
            .map(one => [one, light(rgb(getComputedStyle(one).color)), light(behind(one))])
            .map(([one, a, b]) => [one, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)])
            .filter(([one, ratio]) => ratio < 4.5)
            .map(([one, ratio]) => `${one.className} ${one.textContent.slice(0, 30)} ${ratio}`);
        }"""
    )


# First, so that the address of a page is the first thing that a new server is asked for.
@pytest.mark.parametrize("path", list(reversed(PAGES)))
def test_every_page_opens_by_its_address_in_spanish_and_without_an_error(
    page: Page, address: str, said: list[str], path: str
) -> None:
    opened(page, address, f"/{path}")
    expect(page.locator(".bloque h1")).to_have_text(PAGES[path])
    expect(page.get_by_text("Page not found")).to_have_count(0)
    assert page.locator("html").get_attribute("lang") == "es"
    assert page.locator(".bloque table").count() >= 1
    assert page.locator(".frescura").inner_text().startswith("Datos al ")
    assert page.get_by_text("Deploy").count() == 0
    # Streamlit's own frame speaks Spanish too, and says which page this is.
    frame = page.get_by_role("navigation", name="Páginas")
    expect(frame.locator("[aria-current=page]")).to_have_text(PAGES[path])
    page.set_viewport_size({"width": 768, "height": 844})
    assert (
        re.findall(r"\b(more|Main menu|Settings)\b", page.get_by_test_id("stHeader").inner_text())
        == []
    )
    # Each sign beside a figure has its definition.
    named = page.locator("[popovertarget]").evaluate_all(
        "them => them.map(one => one.getAttribute('popovertarget'))"
    )
    assert named
    assert [one for one in named if page.locator(f"#{one}").count() != 1] == []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(200)
        assert contrast(page) == [], scheme
    # A page of 390 pixels scrolls in one direction.
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= 390
    assert said == []


def test_axe_finds_nothing_serious(page: Page, address: str, axe: str) -> None:
    """Every page in light and dark, its frame included; then a filter and a definition open."""

    def serious(where: str) -> list[str]:
        page.evaluate(axe)
        result = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{where}: {one['id']} {node['target']} {node['failureSummary']}"
            for one in result["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    found = []
    for path, title in PAGES.items():
        opened(page, address, f"/{path}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(200)
            found += serious(f"{title}, {scheme}")
    opened(page, address)
    page.get_by_role("button", name="Definición de Ventas netas").first.click()
    expect(page.locator("#def-ventas_netas")).to_be_visible()
    found += serious("a definition")
    assert found == []


def test_figures_are_those_of_the_database(
    page: Page, address: str, built_database: Database
) -> None:
    [(start, end, sales, net, margin, tickets, grown, visits)] = built_database.query(
        """
        select desde, hasta, total_ventas, ventas_netas, margen, numero_tickets,
            100.0 * ventas_mismas_tiendas / ventas_mismas_tiendas_anterior - 100,
            100.0 * tickets_mismas_tiendas / tickets_mismas_tiendas_anterior - 100
        from retail.mv_kpi_periodos
        where periodo = 'ultimos_28' and dimension = 'total'
        """
    )
    opened(page, address)
    assert re.match(rf"{start.day}\b.* – {end.day} de ", page.locator(".antetitulo").inner_text())
    assert figure(page, "total_ventas") == shown_money(sales)
    assert figure(page, "ventas_netas") == shown_money(net)
    assert figure(page, "numero_tickets") == f"{tickets:,}"
    assert figure(page, "ticket_promedio") == f"${sales / tickets:,.2f}"
    assert figure(page, "margen_pct") == f"{100 * margin / net:.1f} %"
    assert figure(page, "mismas_tiendas") == f"{grown:+.1f} %".replace("-", "−")
    assert f"tráfico {visits:+.1f} %".replace("-", "−") in page.locator("body").inner_text()
    [(planned, tickets_planned, margin_planned)] = built_database.query(
        """
        select sum(plan_ventas), sum(plan_tickets), 100 * sum(plan_margen) / sum(plan_ventas_netas)
        from retail.mv_plan_ventas where fecha between %s and %s
        """,
        start,
        end,
    )
    assert against(page, "total_ventas", 1) == signed(100 * sales / planned - 100, "%")
    assert against(page, "numero_tickets", 1) == signed(100 * tickets / tickets_planned - 100, "%")
    assert against(page, "margen_pct", 1) == signed(100 * margin / net - margin_planned, "pp")
    # The plan is of other stores and days than those that compare: only sales are held against it.
    assert against(page, "mismas_tiendas", 1) == "–"


@pytest.mark.parametrize(
    ("preset", "period"),
    [("mes", "mes"), ("anno", "anno"), ("semana", "semana"), ("7d", "ultimos_7")],
)
def test_periods_and_their_comparison_are_those_that_are_published(
    page: Page, address: str, built_database: Database, preset: str, period: str
) -> None:
    rows = built_database.query(
        """
        select valor, total_ventas, 100 * total_ventas / nullif(ventas_anno_anterior, 0) - 100
        from retail.mv_kpi_periodos
        where dimension = 'cadena' and periodo = %s
            and hasta = (select fecha_corte from retail.corte)
        """,
        period,
    )
    opened(page, address, f"/?periodo={preset}")
    shown = {row[0]: row for row in table(page, "Cadenas")}
    assert set(shown) == {name for name, *_ in rows}
    for name, sales, change in rows:
        assert shown[name][1] == shown_money(sales)
        if change is not None:
            assert f"{abs(change):.1f} %" in shown[name][2]
            assert ("▲" in shown[name][2]) == (round(change, 1) > 0)


def test_a_month_that_is_opened_is_compared_as_a_month(
    page: Page, address: str, built_database: Database
) -> None:
    [(start, end, growth)] = built_database.query(
        """
        select desde, hasta, 100 * total_ventas / ventas_anno_anterior - 100
        from retail.mv_kpi_periodos
        where periodo = 'mes' and dimension = 'total' and not es_parcial
            and ventas_anno_anterior is not null
        order by desde desc limit 1
        """
    )
    opened(page, address, f"/?periodo=fechas&desde={start}&hasta={end}")
    assert against(page, "total_ventas", 0) == signed(growth, "%")
    # The month in course is the period of this name.
    opened(page, address, "/?periodo=anno")
    page.locator("a.zona").last.click()
    page.wait_for_url(re.compile(r"\?periodo=mes$"))


def test_filters_stand_in_the_address_and_follow_to_the_next_page(
    page: Page, address: str, built_database: Database, said: list[str]
) -> None:
    opened(page, address)
    page.get_by_text("91 días", exact=True).click()
    page.wait_for_url(re.compile("periodo=91d"))
    page.get_by_role("link", name="HyperMarket", exact=True).first.click()
    page.wait_for_url(re.compile("cadena=HyperMarket"))
    expect(page.locator(".antetitulo")).to_contain_text("HyperMarket")
    sent = page.url
    [(sales,)] = built_database.query(
        """
        select sum(total_linea) from retail.ventas join retail.tiendas using (tienda_id)
        where cadena = 'HyperMarket' and fecha_venta > (select fecha_corte - 91 from retail.corte)
            and fecha_venta <= (select fecha_corte from retail.corte)
        """
    )
    assert figure(page, "total_ventas") == shown_money(sales)

    page.get_by_role("link", name="Tiendas", exact=True).first.click()
    expect(page.locator(".bloque h1")).to_have_text("Tiendas")
    page.wait_for_url(re.compile("tiendas.*cadena=HyperMarket"))
    assert {row[2] for row in table(page, "Todas las tiendas")} == {"HyperMarket"}

    # Whoever gets the address sees the same; the way back is the browser's.
    opened(page, "", sent)
    assert figure(page, "total_ventas") == shown_money(sales)
    page.get_by_role("button", name="Filtros: HyperMarket").click()
    page.get_by_test_id("stMultiSelect").filter(has_text="Cadena").get_by_label(
        "Clear all"
    ).first.click()
    expect(page.locator(".antetitulo")).not_to_contain_text("HyperMarket")
    page.wait_for_url(lambda url: "cadena" not in parse_qs(urlsplit(url).query))
    page.go_back()
    expect(page.locator(".antetitulo")).to_contain_text("HyperMarket")
    assert said == []


def test_a_click_goes_down_to_a_store_and_to_days(
    page: Page, address: str, built_database: Database
) -> None:
    opened(page, address, "/tiendas")
    name = table(page, "Todas las tiendas")[0][1]
    page.get_by_role("link", name=name).click()
    expect(page.locator(".bloque h1")).to_have_text(name)
    [(store,)] = built_database.query(
        "select tienda_id from retail.tiendas where nombre_tienda = %s", name
    )
    page.wait_for_url(re.compile(f"tienda={store}"))
    page.locator("a.zona").nth(3).click()
    page.wait_for_url(re.compile("desde="))
    day = parse_qs(urlsplit(page.url).query)["desde"][0]
    [(sales,)] = built_database.query(
        "select sum(total_linea) from retail.ventas where tienda_id = %s and fecha_venta = %s",
        store,
        day,
    )
    expect(page.locator(".antetitulo")).to_contain_text(str(int(day[-2:])))
    if sales:
        assert figure(page, "total_ventas") == shown_money(sales)
    else:
        expect(page.get_by_text("No hay ventas con esta selección.")).to_be_visible()


def test_files_hold_what_the_page_shows(page: Page, address: str, built_database: Database) -> None:
    opened(page, address, "/tiendas")
    shown = table(page, "Todas las tiendas")
    text = downloaded(page, "Todas las tiendas (.csv)").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["Tienda"] for row in rows] == [cells[1] for cells in shown]
    expected = dict(
        built_database.query(
            """
            select nombre_tienda, sum(total_linea)
            from retail.ventas join retail.tiendas using (tienda_id)
            where fecha_venta > (select fecha_corte - 28 from retail.corte)
                and fecha_venta <= (select fecha_corte from retail.corte)
            group by 1
            """
        )
    )
    assert {row["Tienda"]: Decimal(row["Ventas"]) for row in rows if Decimal(row["Ventas"])} == (
        expected
    )
    book = zipfile.ZipFile(io.BytesIO(downloaded(page, "Todo en Excel (.xlsx)")))
    sheets = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
    assert sheets == ["regiones", "tiendas"]
    cells = book.read("xl/worksheets/sheet2.xml").decode()
    first = Decimal(rows[0]["Ventas"])
    assert any(
        abs(Decimal(v) - first) < Decimal("0.005") for v in re.findall(r"<v>([\d.]+)</v>", cells)
    )


def test_every_definition_is_one_click_away(
    page: Page, address: str, built_database: Database
) -> None:
    opened(page, address)
    page.get_by_role("button", name="Definición de Ventas netas").first.click()
    box = page.locator("#def-ventas_netas")
    expect(box).to_be_visible()
    [(text,)] = built_database.query(
        """
        select col_description('retail.agg_ventas_dia_tienda'::regclass, attnum)
        from pg_attribute
        where attrelid = 'retail.agg_ventas_dia_tienda'::regclass and attname = 'ventas_netas'
        """
    )
    expect(box).to_contain_text(text)
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()


def test_a_page_prints_without_its_controls(page: Page, address: str) -> None:
    opened(page, address)
    page.emulate_media(media="print")
    assert not page.get_by_text("Descargar", exact=True).is_visible()
    assert not page.get_by_role("link", name="Inventario", exact=True).first.is_visible()
    assert page.locator(".bloque h1").is_visible()
    printed = page.pdf(prefer_css_page_size=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 1 <= pages <= 3, "the whole page is printed, not what the window shows"


def test_an_empty_selection_says_what_to_do(
    page: Page, address: str, built_database: Database
) -> None:
    # Hypermarkets are closed that day.
    [(closed,)] = built_database.query(
        "select max(fecha) from retail.mv_daily_sales_summary "
        "where cadena = 'HyperMarket' and total_ventas = 0"
    )
    for path in ("", "tiendas"):
        dates = f"periodo=fechas&desde={closed}&hasta={closed}"
        opened(page, address, f"/{path}?{dates}&cadena=HyperMarket")
        expect(page.get_by_text("No hay ventas con esta selección.")).to_be_visible()
    opened(page, address, "/tiendas?tienda=999999")
    expect(page.get_by_text("No hay una tienda con el número 999999.")).to_be_visible()
    # What nobody can select is passed over.
    opened(page, address, "/?periodo=siempre&cadena=Nadie&medida=nada")
    expect(page.locator(".antetitulo")).not_to_contain_text("Nadie")


def test_the_figures_are_in_reach_of_the_keyboard_and_named(page: Page, address: str) -> None:
    opened(page, address)
    assert page.locator(".bloque h1").count() == 1
    for caption in page.locator(".bloque table caption").all_inner_texts():
        assert caption is not None
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('.bloque a, .bloque button')]
            .filter(one => !(one.getAttribute('aria-label') || one.textContent.trim())).length"""
    )
    assert unnamed == 0
    assert page.locator(".bloque th:not([scope])").count() == 0
    page.locator(".bloque summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".bloque details[open] table")).to_be_visible()


def test_a_database_without_a_model_says_so(browser: Browser, empty_database: Database) -> None:
    with served(empty_database) as address:
        fresh = browser.new_page()
        fresh.goto(address)
        expect(fresh.get_by_text("todavía no tiene el modelo publicado")).to_be_visible(
            timeout=30_000
        )
        assert "Traceback" not in fresh.locator("body").inner_text()
        fresh.close()


def test_a_database_that_is_down_says_so_and_a_later_try_succeeds(
    page: Page, address: str, built_database: Database, embedded_server: LocalServer
) -> None:
    name = sql.Identifier(built_database.parameters["dbname"])
    with closing(connect(embedded_server.parameters())) as session:
        session.autocommit = True

        def admit(allowed: bool) -> None:
            with session.cursor() as cursor:
                cursor.execute(
                    sql.SQL("alter database {} allow_connections {}").format(
                        name, sql.Literal(allowed)
                    )
                )
                cursor.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                    [built_database.parameters["dbname"]],
                )

        opened(page, address)
        admit(False)
        try:
            page.goto(f"{address}/productos")
            expect(page.get_by_text("La base de datos no responde.")).to_be_visible()
            assert "Traceback" not in page.locator("body").inner_text()
        finally:
            admit(True)
        page.get_by_role("button", name="Volver a intentar").click()
        expect(page.locator(".bloque h1")).to_have_text("Productos")


@pytest.mark.full
def test_twenty_visitors_at_once(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each opens the dashboard and changes the period; nobody gets an error."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    waited: list[float] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitors = [chromium.new_page() for _ in range(20)]
        for visitor in visitors:
            visitor.goto(address, wait_until="commit")
        for visitor in visitors:
            visitor.wait_for_selector(".bloque h1", timeout=120_000)
        for label, words in (("7 días", "7d"), ("Mes", "mes"), ("91 días", "91d")):
            begun = time.perf_counter()
            for visitor in visitors:
                visitor.get_by_text(label, exact=True).first.click(no_wait_after=True)
            for visitor in visitors:
                visitor.wait_for_url(re.compile(words), timeout=60_000)
                waited.append(time.perf_counter() - begun)
                assert visitor.locator(".aviso").count() == 0
        chromium.close()
    waited.sort()
    with capsys.disabled():
        print(
            f"\n20 visitors: p95 of an interaction {1000 * waited[int(0.95 * len(waited))]:.0f} ms"
        )
