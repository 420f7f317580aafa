"""The dashboard's arithmetic and texts, its server's settings, and the report by mail."""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
import yaml
from conftest import PROJECT, Database, run_script

pytest.importorskip("babel", reason="[dashboard] is not installed: make test installs it")

from dashboard import format as fmt
from dashboard import parts
from dashboard.bridge import effects
from dashboard.data import QUERIES, Edition, NotAvailable, Published, Row, Value, statement
from dashboard.definitions import DEFINITIONS
from dashboard.markup import Column, Table, table
from dashboard.pages import PAGES
from dashboard.periods import Period, between, point_of, points, preset, whole_months
from dashboard.view import FILTERS, View, total
from retail_platform.errors import UserError
from retail_platform.reporting.spreadsheets import csv_bytes


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (312, "$312"),
        (999.6, "$1.00 mil"),
        (845_123, "$845 mil"),
        (999_960, "$1.00 M"),
        (12_345_678, "$12.3 M"),
        (-37_180, "−$37.2 mil"),
        (2_400_000_000, "$2.40 mil M"),
        (None, "–"),
    ],
)
def test_money_is_three_digits_that_one_remembers(value: float | None, text: str) -> None:
    assert fmt.short_money(value) == text


def test_dates_are_spanish_and_a_range_repeats_nothing() -> None:
    assert fmt.span(day("2026-11-01"), day("2026-11-23")) == "1 – 23 de noviembre de 2026"
    assert fmt.span(day("2026-01-30"), day("2026-02-05")) == "30 de enero – 5 de febrero de 2026"
    assert fmt.span(day("2026-09-16"), day("2026-09-16")) == "miércoles 16 de septiembre de 2026"
    assert (
        fmt.span(day("2025-12-30"), day("2026-01-02"))
        == "30 de diciembre de 2025 – 2 de enero de 2026"
    )


def test_a_month_is_compared_with_its_dates_and_days_with_their_weekdays() -> None:
    assert preset("mes", day("2026-11-23")).before == (day("2025-11-01"), day("2025-11-23"))
    assert preset("anno", day("2026-12-31")).before == (day("2025-01-01"), day("2025-12-31"))
    # As many days from the beginning, unless the month is whole.
    assert preset("mes", day("2024-02-29")).before == (day("2023-02-01"), day("2023-02-28"))
    assert preset("anno", day("2024-03-01")).before == (day("2023-01-01"), day("2023-03-02"))
    week = preset("semana", day("2026-11-25"))
    assert (week.start, week.before[0]) == (day("2026-11-23"), day("2025-11-24"))
    assert {date.weekday() for date in (week.start, week.before[0])} == {0}
    assert Period(day("2026-01-01"), day("2026-11-23")).grain == "mes"


def test_free_dates_that_are_whole_months_are_compared_as_months() -> None:
    for start, end, before in (
        ("2025-12-01", "2025-12-31", ("2024-12-01", "2024-12-31")),
        ("2024-02-01", "2024-02-29", ("2023-02-01", "2023-02-28")),
        ("2025-01-01", "2025-12-31", ("2024-01-01", "2024-12-31")),
        ("2025-12-01", "2025-12-30", ("2024-12-02", "2024-12-31")),
    ):
        assert between(day(start), day(end)).before == tuple(map(day, before))
    # What would overlap the year before loses its first days.
    assert between(day("2024-12-01"), day("2025-12-31")) == Period(
        day("2025-01-02"), day("2025-12-31")
    )


def test_weeks_of_a_drawing_end_with_the_period() -> None:
    """The last point is never a part of a week, which would look like a fall; the first may be."""
    period = preset("91d", day("2026-11-30"))
    assert points(period) == [day("2026-09-01") + datetime.timedelta(7 * n) for n in range(13)]
    assert point_of(day("2026-11-24"), period) == point_of(day("2026-11-30"), period)
    longer = Period(day("2026-08-30"), day("2026-11-30"))
    assert points(longer)[:2] == [day("2026-08-25"), day("2026-09-01")]


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2026-01-01", "2026-11-27", "2026-01-01", "2026-10-31"),
        ("2025-12-15", "2026-02-28", "2026-01-01", "2026-02-28"),
        ("2024-02-01", "2024-02-29", "2024-02-01", "2024-02-29"),
        # Without a whole month the range is empty, and lies at the start.
        ("2026-01-02", "2026-01-31", "2026-01-02", "2026-01-01"),
        ("2026-10-31", "2026-11-29", "2026-10-31", "2026-10-30"),
    ],
)
def test_whole_months_of_a_range(start: str, end: str, first: str, last: str) -> None:
    assert whole_months(day(start), day(end)) == (day(first), day(last))


def product(
    units: int, sales: str, units_before: int, before: str, bulk: bool = False, back: str = "0"
) -> dict:
    return {
        "unidades": Decimal(units),
        "ventas_sin_iva": Decimal(sales),
        "devoluciones_sin_iva": Decimal(back),
        "unidades_antes": Decimal(units_before),
        "ventas_sin_iva_antes": Decimal(before),
        "devoluciones_sin_iva_antes": Decimal(0),
        "es_a_granel": bulk,
    }


def test_a_bridge_finds_the_effect_that_was_planted() -> None:
    dearer = effects([product(10, "220", 10, "200"), product(5, "55", 5, "50")])
    assert (dearer.volume, dearer.mix, dearer.price) == (0, 0, 25)
    more = effects([product(20, "400", 10, "200"), product(10, "100", 5, "50")])
    assert (more.volume, more.mix, more.price) == (250, 0, 0)
    # As many units, more of the cheap one.
    cheaper = effects([product(5, "100", 10, "200"), product(10, "100", 5, "50")])
    assert (cheaper.volume, cheaper.mix, cheaper.price) == (0, -50, 0)
    other = effects([product(4, "40", 0, "0"), product(0, "0", 3, "30"), product(1, "1", 1, "1")])
    assert (other.new, other.gone, other.volume) == (40, -30, 0)
    # Kilograms are no pieces: no mix between them.
    kilograms = effects([product(10, "100", 10, "100"), product(30, "300", 10, "100", bulk=True)])
    assert (kilograms.volume, kilograms.mix, kilograms.price) == (200, 0, 0)
    # What comes back makes nothing cheaper, nor does what comes back of a product that is gone.
    back = effects([product(10, "200", 10, "200", back="60"), product(0, "0", 1, "9", back="5")])
    assert (back.price, back.gone, back.returned) == (0, -9, -65)


def test_the_parts_of_a_bridge_add_up_to_the_cent() -> None:
    chance = random.Random(7)
    for _ in range(200):
        rows = [
            product(
                chance.randint(0, 90),
                f"{chance.randint(-500, 99999) / 100:.2f}",
                chance.randint(0, 90),
                f"{chance.randint(-500, 99999) / 100:.2f}",
                chance.random() < 0.3,
                f"{chance.randint(0, 9999) / 100:.2f}",
            )
            for _ in range(chance.randint(1, 12))
        ]
        made = effects(rows)
        change = sum(
            row["ventas_sin_iva"] - row["devoluciones_sin_iva"] - row["ventas_sin_iva_antes"]
            for row in rows
        )
        pieces = [made.volume, made.mix, made.price, made.new, made.gone, made.returned]
        assert sum(pieces) == change
        assert all(part == part.quantize(Decimal("0.01")) for part in pieces)


def test_texts_of_the_data_are_no_markup_and_no_formula() -> None:
    bad = Table("x", "T <b>", [Column("a", "A")], [{"a": "<script>alert(1)</script>"}])
    assert "<script>" not in table(bad)
    assert "T &lt;b&gt;" in table(bad)
    formula = Table("x", "T", [Column("a", "A")], [{"a": "=1+1"}, {"a": "-"}])
    assert b"'=1+1" in csv_bytes(formula)


def test_every_question_reads_published_relations_and_never_a_fact() -> None:
    for path in sorted(QUERIES.glob("*.sql")):
        sql = statement(path.stem)
        assert re.search(r"retail\.\w+|'retail'", sql), path.name
        read = set(re.findall(r"(?:from|join)\s+(\w+\.\w+)", sql))
        assert {name.split(".")[0] for name in read} <= {"retail", "pg_catalog"}, path.name
        facts = {name for name in read if re.match(r"retail\.(fact_|ventas$|inventario$)", name)}
        # One store's lines of the days outside of whole months: an index leads to them.
        assert facts == ({"retail.ventas"} if path.stem == "categorias_de_tienda" else set())


def test_the_lineage_of_dbt_reaches_every_question() -> None:
    page = PROJECT / "models" / "marts" / "reporting" / "_reporting__exposures.yml"
    named = {
        ref
        for exposure in yaml.safe_load(page.read_text())["exposures"]
        if "127.0.0.1:8501" in exposure.get("url", "")
        for ref in re.findall(r"ref\('(\w+)'\)", " ".join(exposure["depends_on"]))
    }
    read = {
        name
        for path in QUERIES.glob("*.sql")
        for name in re.findall(r"ref\('(\w+)'\)", path.read_text())
    }
    assert read <= named


def test_every_definition_names_a_column_that_is_published(built_database: Database) -> None:
    published = set(
        built_database.query(
            "select table_name::text, column_name::text from information_schema.columns "
            "where table_schema = 'retail' union "
            "select c.relname::text, a.attname::text from pg_class c "
            "join pg_attribute a on a.attrelid = c.oid "
            "where c.relkind = 'm' and c.relnamespace = 'retail'::regnamespace"
        )
    )
    assert {(one.relation, one.column) for one in DEFINITIONS.values()} <= published


def test_sessions_cannot_write_and_what_is_published_anew_is_read_anew(
    built_database: Database,
) -> None:
    published = Published("ci", built_database.parameters)
    with published._session() as session, session.cursor() as cursor:
        cursor.execute("show transaction_read_only")
        assert cursor.fetchone() == ("on",)
        cursor.execute("show statement_timeout")
        assert cursor.fetchone() == ("10s",)
    edition = published.edition()
    first = edition.rows("datos")
    assert edition.rows("datos") is first
    assert published.edition() == edition
    published.close()


@pytest.fixture(scope="module")
def edition(built_database: Database) -> Iterator[Edition]:
    published = Published("ci", built_database.parameters)
    yield published.edition()
    published.close()


def view_of(edition: Edition, page: str, period: Period | None = None, **own: str) -> View:
    """A page without filters."""
    cutoff = edition.rows("datos")[0]["fecha_corte"]
    options = {
        key: [row["valor"] for row in edition.rows("opciones") if row["filtro"] == key]
        for key in FILTERS
    }
    nothing: dict[str, list[str]] = {key: [] for key in FILTERS}
    return View(page, edition, cutoff, period or preset("28d", cutoff), nothing, options, own=own)


def test_a_long_period_is_the_same_from_months_and_days(
    built_database: Database, edition: Edition
) -> None:
    """Whole months come from sums by month, the rest by day: together they are the fact's lines."""
    period = Period(day("2025-01-17"), day("2025-04-20"))
    rows = view_of(edition, "productos", period).rows("ventas_por_producto")
    for suffix, (start, end) in (("", (period.start, period.end)), ("_antes", period.before)):
        sold = built_database.query(
            "select producto_id, sum(total_linea) from retail.fact_ventas "
            "where fecha_venta between %s and %s group by 1",
            start,
            end,
        )
        found = {row["producto_id"]: row[f"total_ventas{suffix}"] for row in rows}
        assert {key: value for key, value in found.items() if value} == dict(sold)


# From the middle of a month to the middle of another, whole months alone, days alone.
@pytest.mark.parametrize(
    ("start", "end"),
    [("2025-01-17", "2025-04-20"), ("2025-02-01", "2025-03-31"), ("2025-03-03", "2025-03-30")],
)
def test_days_stores_and_formats_are_sums_of_the_lines_of_the_fact(
    built_database: Database, edition: Edition, start: str, end: str
) -> None:
    """Whatever the sums are read from: by day, of the days of each store, of its whole months."""
    view = view_of(edition, "resumen", Period(day(start), day(end)))
    stores = {row["tienda_id"]: row for row in view.rows("ventas_por_tienda")}
    days = {row["fecha"]: row for row in view.rows("ventas_por_dia")}
    formats = {(row["formato"], row["canal"]): row for row in view.rows("ventas_por_formato")}
    store = max(stores)
    of_store = {row["fecha"]: row for row in view.rows("ventas_de_tienda", tienda=store)}

    def lines(keys: str, period: tuple[datetime.date, datetime.date], where: str = "") -> list:
        return built_database.query(
            f"select {keys}, sum(total_linea), count(distinct ticket_id) from retail.fact_ventas "
            f"join retail.dim_tienda using (tienda_id) where fecha_venta between %s and %s {where} "
            f"group by {keys}",
            *period,
        )

    shift = view.period.start - view.period.before[0]
    for suffix, period in (
        ("", (view.period.start, view.period.end)),
        ("_antes", view.period.before),
    ):
        one, other = f"total_ventas{suffix}", f"numero_tickets{suffix}"
        later = shift if suffix else datetime.timedelta()
        for name, sold, read in (
            ("store", lines("tienda_id", period), stores),
            ("day", lines("fecha_venta", period), days),
            ("day of a store", lines("fecha_venta", period, f"and tienda_id = {store}"), of_store),
        ):
            found = {key: (row[one], row[other]) for key, row in read.items() if row[one]}
            moved = {(key + later if name != "store" else key): pair for key, *pair in sold}
            assert found == {key: tuple(pair) for key, pair in moved.items()}, (name, suffix)
        assert {key: (row[one], row[other]) for key, row in formats.items() if row[one]} == {
            (form, channel): (money, tickets)
            for form, channel, money, tickets in lines("formato, canal", period)
        }
    [(compared,)], [(planned, planned_days)] = (
        built_database.query(
            f"select {sums} from retail.{relation} and fecha between %s and %s",
            view.period.start,
            view.period.end,
        )
        for sums, relation in (
            ("sum(total_ventas)", "mv_daily_store_sales where es_mismas_tiendas"),
            ("sum(plan_ventas), count(*)", "mv_plan_ventas where true"),
        )
    )
    for rows in (stores.values(), days.values()):
        assert total(list(rows), "ventas_mismas") == compared
        assert total(list(rows), "total_ventas_plan") == planned
    assert total(list(days.values()), "dias_tienda_plan") == planned_days


@pytest.mark.parametrize(
    ("start", "end"),
    [
        # After a leap February, in one, and to a day that the year before reaches a day earlier.
        ("2025-02-01", "2025-02-28"),
        ("2024-02-01", "2024-02-29"),
        ("2025-01-01", "2025-03-10"),
        ("2024-01-01", "2024-03-10"),
    ],
)
def test_days_of_the_calendar_lose_no_day_of_a_leap_year(
    built_database: Database, edition: Edition, start: str, end: str
) -> None:
    view = view_of(edition, "resumen", Period(day(start), day(end), by_calendar=True))
    store = max(row["tienda_id"] for row in view.rows("ventas_por_tienda"))
    for question, where in (
        ("ventas_por_dia", "true"),
        ("ventas_de_tienda", f"tienda_id = {store}"),
    ):
        sold = dict(
            built_database.query(
                "select fecha_venta, sum(total_linea) from retail.fact_ventas "
                f"where fecha_venta between %s and %s and {where} group by 1",
                *view.period.before,
            )
        )
        expected: dict[datetime.date, Decimal] = {}
        for date, amount in sold.items():
            leap = (date.month, date.day) == (2, 29)
            same = date.replace(year=date.year + 1, day=28 if leap else date.day)
            row = min(same, view.period.end)
            expected[row] = expected.get(row, Decimal(0)) + amount
        rows = view.rows(question, tienda=store)
        found = {row["fecha"]: row["total_ventas_antes"] for row in rows}
        assert {key: value for key, value in found.items() if value} == expected, question


def test_a_month_that_is_clicked_is_the_month_that_is_published(
    built_database: Database, edition: Edition
) -> None:
    cutoff = edition.rows("datos")[0]["fecha_corte"]
    year = view_of(edition, "resumen", preset("anno", cutoff))
    points = parts._stretches(year, year.rows("ventas_por_dia"), "total_ventas")
    assert points[-1].target["periodo"] == "mes"
    published = built_database.query(
        "select desde, hasta, total_ventas, ventas_anno_anterior from retail.mv_kpi_periodos "
        "where periodo = 'mes' and dimension = 'total' and not es_parcial "
        "and ventas_anno_anterior is not null"
    )
    assert len(published) > 3
    for start, end, *sales in published:
        rows = view_of(edition, "resumen", between(start, end)).rows("ventas_por_dia")
        assert [total(rows, "total_ventas"), total(rows, "total_ventas_antes")] == sales


@pytest.mark.parametrize("before", [0, 1, 181])
def test_a_part_of_the_year_before_is_no_comparison(
    built_database: Database, edition: Edition, before: int
) -> None:
    """The year before begins so many days before the data: with none it is compared, else not."""
    [(first,)] = built_database.query("select min(fecha_venta) from retail.fact_ventas")
    start = first + datetime.timedelta(364 - before)
    period = Period(start, start + datetime.timedelta(363))
    summary, stores, products, prices = (
        view_of(edition, page, period) for page in ("resumen", "tiendas", "productos", "precios")
    )
    for question in (
        *("ventas_por_tienda", "ventas_por_producto", "ventas_por_formato"),
        "categorias_de_tienda",
    ):
        rows = summary.rows(question, tienda=1)
        compared = {
            key for row in rows for key, value in row.items() if key.endswith("_antes") and value
        }
        assert bool(compared) == (not before), question
    [(now, then)] = built_database.query(
        "select sum(total_linea) filter (where fecha_venta >= %s), "
        "sum(total_linea) filter (where fecha_venta < %s) from retail.fact_ventas "
        "where fecha_venta between %s and %s",
        *(period.start, period.start, period.before[0], period.end),
    )
    pages = {
        view.page: "".join(PAGES[view.page].build(view))
        for view in (summary, stores, products, prices)
    }
    growth = fmt.percent(now / then - 1, plus=True)
    assert (growth in pages["resumen"]) == (not before)
    for page in ("resumen", "tiendas", "productos"):
        assert ("Los datos empiezan el" in pages[page]) == bool(before), page
    if before:
        assert "delta bien" not in pages["tiendas"] + pages["productos"] + pages["precios"]
        assert "sin comparación" in pages["tiendas"]
    # Each point of the drawing by itself: the data reach back to some of them.
    [table] = [table for table in summary.tables if table.name == "evolucion"]
    assert len(table.rows) in (12, 13)
    for point in table.rows:
        shift = datetime.timedelta(364)
        [(sold,)] = built_database.query(
            "select sum(total_linea) from retail.fact_ventas where fecha_venta between %s and %s",
            *(point["desde"] - shift, point["hasta"] - shift),
        )
        assert point["antes"] == (sold if point["desde"] - shift >= first else None)
    assert any(point["antes"] for point in table.rows)


# A month of which the year before had a day more, and months of other weekdays.
@pytest.mark.parametrize(
    ("start", "end"),
    [("2025-02-01", "2025-02-28"), ("2025-09-01", "2025-09-30"), ("2025-11-01", "2025-11-30")],
)
def test_stores_that_compare_are_those_of_like_for_like(
    built_database: Database, edition: Edition, start: str, end: str
) -> None:
    view = view_of(edition, "tiendas", between(day(start), day(end)))
    growth = built_database.query(
        """
        select sum(now.total_ventas) > sum(past.total_ventas)
        from retail.agg_ventas_dia_tienda as now
        join retail.agg_ventas_dia_tienda as past using (tienda_id)
        join retail.mv_daily_store_sales as store
            on store.tienda_id = now.tienda_id and store.fecha = now.fecha
        where past.fecha = now.fecha - 364 and store.es_mismas_tiendas
            and now.fecha between %s and %s
        group by now.tienda_id having sum(past.total_ventas) > 0
        """,
        view.period.start,
        view.period.end,
    )
    more = sum(grows for (grows,) in growth)
    heading = re.sub(r"<button.*?</button>|<[^>]+>", "", PAGES["tiendas"].build(view)[0])
    assert f"{more} de {len(growth)} tiendas comparables venden más que hace un año." in heading
    # The column of the ranking is the stores' own, of whole months too.
    grown = dict(
        built_database.query(
            "select tienda_id, sum(total_linea) filter (where fecha_venta >= %s) "
            "/ sum(total_linea) filter (where fecha_venta < %s) - 1 from retail.fact_ventas "
            "where fecha_venta between %s and %s or fecha_venta between %s and %s group by 1",
            *(view.period.start, view.period.start, *view.period.before),
            *(view.period.start, view.period.end),
        )
    )
    [ranking] = [table for table in view.tables if table.name == "tiendas"]
    changes = {row["tienda_id"]: row["cambio"] for row in ranking.rows if row["cambio"] is not None}
    assert len(changes) > 1
    assert {key: round(grown[key], 9) for key in changes} == {
        key: round(value, 9) for key, value in changes.items()
    }


@pytest.mark.parametrize("key", ["28d", "mes", "91d", "anno"])
def test_categories_of_a_store_are_of_the_days_of_the_period(
    built_database: Database, edition: Edition, key: str
) -> None:
    """Against the same days of the year before, and no day past the cut-off date."""
    period = preset(key, edition.rows("datos")[0]["fecha_corte"])
    view = view_of(edition, "tiendas", period, tienda="1")
    PAGES["tiendas"].build(view)
    [shown] = [table for table in view.tables if table.name == "categorias_de_tienda"]

    def sold(start: datetime.date, end: datetime.date) -> dict[str, Decimal]:
        return dict(
            built_database.query(
                "select categoria, sum(total_linea) from retail.fact_ventas "
                "join retail.dim_producto using (producto_id) "
                "where tienda_id = 1 and fecha_venta between %s and %s group by 1",
                start,
                end,
            )
        )

    now, then = sold(period.start, period.end), sold(*period.before)
    assert {row["categoria"]: row["total_ventas"] for row in shown.rows if row["total_ventas"]} == (
        now
    )
    changes = {row["categoria"]: row["cambio"] for row in shown.rows if row["cambio"] is not None}
    assert changes == {key: now[key] / then[key] - 1 for key in now.keys() & then.keys()}


def test_promotions_that_ended_are_those_of_the_period(
    built_database: Database, edition: Edition
) -> None:
    cutoff = edition.rows("datos")[0]["fecha_corte"]
    week = Period(cutoff - datetime.timedelta(20), cutoff - datetime.timedelta(14))
    expected = built_database.query(
        "select promocion_id from retail.mv_efecto_promocion join retail.dim_promocion as p "
        "using (promocion_id) where p.fecha_fin between %s and %s and efecto_pct is not null",
        week.start,
        week.end,
    )
    rows = view_of(edition, "precios", week).rows("efecto_promociones")
    assert {row["promocion_id"] for row in rows} == {key for (key,) in expected} != set()
    old = view_of(
        edition, "precios", preset("28d", cutoff - datetime.timedelta(364)), promociones="efecto"
    )
    assert "los últimos 91 días, una semana después" in "".join(PAGES["precios"].build(old))


@pytest.mark.parametrize("days", [28, 364])
def test_the_scorecard_says_of_how_many_days_its_lost_sales_are(
    built_database: Database, edition: Edition, days: int
) -> None:
    view = view_of(edition, "productos", ficha=f"ultimos_{days}")
    PAGES["productos"].build(view)
    observed = dict(
        built_database.query(
            "select producto_id, count(*) from retail.fact_inventario where dias_periodo = 1 "
            "and fecha > %s and fecha <= %s group by 1",
            *(view.cutoff - datetime.timedelta(days), view.cutoff),
        )
    )
    [card] = [table for table in view.tables if table.name == "ficha"]
    assert "dias_observados" in [column.key for column in card.columns]
    assert {row["producto_id"]: row["dias_observados"] for row in card.rows} == {
        row["producto_id"]: observed.get(row["producto_id"], 0) for row in card.rows
    }


def test_quarantine_counts_rows_and_the_share_of_a_day_is_the_published_one(
    edition: Edition,
) -> None:
    class Other(Edition):
        def rows(self, name: str, **parameters: Value) -> list[Row]:
            if name == "rechazos":  # one row of a file, refused for two reasons
                row = {"tabla": "raw_ventas", "filas": 1}
                return [
                    {**row, "motivo": key, "descripcion": key, "filas_sin_repetir": first}
                    for key, first in (("tienda", 1), ("producto", 0))
                ]
            rows = super().rows(name, **parameters)
            if name != "datos":
                return rows
            return [{**row, "proporcion_minima": Decimal("0.75")} for row in rows]

    view = view_of(Other(edition.published, edition.version), "calidad")
    html = "".join(PAGES["calidad"].build(view))
    assert "en cuarentena esperan <b>1</b>." in html
    assert "filas, por 2 motivos" in html
    assert "al menos 75 % de las tiendas" in html


def test_a_part_of_a_month_says_its_days(edition: Edition) -> None:
    view = view_of(edition, "resumen", Period(day("2025-01-01"), day("2025-11-27"), True))
    points = parts._stretches(view, view.rows("ventas_por_dia"), "total_ventas")
    titles = [parts._named(one, view.period.grain)[1] for one in points]
    assert titles[-2:] == ["octubre de 2025", "1 – 27 de noviembre de 2025"]


def test_same_stores_are_not_held_against_the_plan(edition: Edition) -> None:
    """Its bases are days of the same event and other stores: the row of sales compares it."""
    view = view_of(edition, "resumen", Period(day("2026-03-29"), day("2026-04-05")))
    html = parts.figures(view, view.rows("ventas_por_dia"))
    [row] = re.findall(r'<tr data-cifra="mismas_tiendas">.*?</tr>', html)
    assert row.endswith(f'<td class="num">{fmt.NOTHING}</td></tr>')
    assert "pp" not in row


@pytest.mark.parametrize(
    ("page", "own"),
    [
        ("productos", {"ficha": "ultimos_91", "canasta": "Hipermercado"}),
        ("precios", {"promociones": "efecto"}),
        ("inventario", {"alerta": "SOBRESTOCK"}),
        ("inventario", {"alerta": "STOCK_BAJO"}),
    ],
)
def test_what_a_page_opens_on_a_click_is_drawn(
    edition: Edition, page: str, own: dict[str, str]
) -> None:
    html = "".join(PAGES[page].build(view_of(edition, page, **own)))
    assert "<table" in html
    assert html.count('aria-current="true"') == html.count('<nav class="fichas"')


def test_the_questions_of_each_page_are_measured(
    built_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("playwright")
    from dashboard import bench

    for name, value in built_database.environment.items():
        monkeypatch.setenv(name, value)
    measured = list(bench.questions("ci", repeats=1))
    assert {title for title, *_ in measured} == {page.title for page in PAGES.values()}
    assert len(measured) == 4 * len(bench.PERIODS) + 2
    for _, _, together, dearest in measured:
        assert together >= float(dearest.split()[-1]) - 0.5 > -0.5
    # A click that shows the same days changes nothing that could be waited for.
    assert bench.changing(("ayer", "semana", "mes", "28d"), day("2026-11-30")) == [
        *("ayer", "mes", "28d"),
    ]
    assert bench.changing(("7d", "mes", "28d"), day("2026-02-28")) == ["7d", "mes"]


def test_a_build_at_work_and_the_sample_are_said(edition: Edition) -> None:
    quiet = view_of(edition, "resumen").freshness()
    assert re.fullmatch(r"Datos al \d+ de \w+ de \d{4}, muestra del 1 %", quiet)
    building = view_of(replace(edition, building=True), "resumen").freshness()
    assert building.startswith(quiet) and "construcción en curso" in building


def test_a_server_that_is_not_there_is_a_sentence(built_database: Database) -> None:
    nowhere = Published("ci", {**built_database.parameters, "port": "1"})
    with pytest.raises(NotAvailable, match="no responde"):
        nowhere.edition()


def test_it_listens_on_loopback_unless_told_who_stands_in_front() -> None:
    pytest.importorskip("streamlit")
    from dashboard.server import options

    assert options([]).address == "127.0.0.1"
    with pytest.raises(UserError, match="127.0.0.1 only; got --address 0.0.0.0"):
        options(["--address", "0.0.0.0"])
    told = options(["--address", "0.0.0.0", "--public-url", "https://tablero.example.com"])
    assert told.address == "0.0.0.0"
    with pytest.raises(UserError, match="no address of a browser"):
        options(["--public-url", "tablero"])


def test_the_report_is_one_file_that_needs_nothing_else(
    built_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("report") / "new" / "resumen.html"
    run_script("report.py", "--target", "ci", str(file), env=built_database.environment)
    page = file.read_text(encoding="utf-8")
    assert len(page) < 1_000_000
    assert '<html lang="es">' in page
    assert not re.findall(r"<script|<link|<img|@import|url\(|href=\"(?!#)|src=", page)
    [(sales,)] = built_database.query(
        "select total_ventas from retail.mv_kpi_periodos "
        "where periodo = 'ultimos_28' and dimension = 'total'"
    )
    assert fmt.short_money(sales) in page
    wrong = run_script(
        *("report.py", "--target", "ci", "--period", "siempre", str(file)),
        env=built_database.environment,
        check=False,
    )
    assert wrong.returncode != 0
    assert "Unknown period 'siempre'. Allowed: ayer" in wrong.stderr
    assert str(PROJECT) not in page
