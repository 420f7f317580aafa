"""The macros that build text or decide, one by one, without a database."""

import re
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from lifecycle.macros import Refused, Relation, load_macros

MODEL = {
    "name": "fact_ventas",
    "columns": {"fecha": {"name": "fecha", "data_type": "date", "constraints": []}},
    "constraints": [],
}
MONTH = {"fields": ["fecha"], "granularity": "month"}


def row(**changes: Any) -> dict[str, Any]:
    """A row of `read_plan`: January, built from the versions and the SQL of now."""
    return {
        "lower": "2024-01-01",
        "upper": "2024-02-01",
        "name": "f_p202401",
        "existing_name": "f_p202401",
        "existing_upper": "2024-02-01",
        "sources": "v1",
        "built_sources": "v1",
        "built_definition": "sql",
        "forced": False,
        "overlapped": None,
        "is_name_taken": False,
    } | changes


@pytest.mark.parametrize(
    ("changes", "options", "action", "reason"),
    [
        ({}, {}, "keep", "up to date"),
        ({"existing_name": None, "existing_upper": None}, {}, "build", "new"),
        ({"sources": "v2"}, {}, "build", "the source changed"),
        ({"built_definition": "old"}, {}, "build", "the SQL of the model changed"),
        ({"built_definition": None, "built_sources": None}, {}, "build", "the SQL of the model"),
        ({"sources": None}, {}, "keep", "no source delivers"),
        ({"sources": None}, {"full_refresh": True}, "keep", "no source delivers"),
        ({}, {"full_refresh": True}, "build", "full refresh"),
        ({"forced": True}, {}, "build", "asked for by also_rebuild"),
        ({"existing_upper": "2024-01-08"}, {}, "refuse", "ends at 2024-01-08: its granularity"),
        ({"overlapped": "f_p2024q1"}, {}, "refuse", "overlaps the existing f_p2024q1"),
        ({"is_name_taken": True}, {}, "refuse", "another relation has the name f_p202401"),
        ({}, {"window": ["2024-02-01", "2030-01-01"]}, "refuse", "outside the expected window"),
        ({}, {"window": ["2024-01-01", "2030-01-01"]}, "keep", "up to date"),
        ({}, {"rebuild_range": ["2024-01-31", "2024-03-01"]}, "build", "rebuild_range"),
        ({}, {"rebuild_range": ["2023-01-01", "2024-01-01"]}, "build", "rebuild_range"),
        ({}, {"rebuild_range": ["2024-02-01", "2024-03-01"]}, "keep", "up to date"),
        ({}, {"rebuild_range": ["2023-01-01", "2023-12-31"]}, "keep", "up to date"),
        ({"sources": "v2"}, {"retained_from": "2024-02-01"}, "keep", "archived: before"),
        ({"sources": "v2"}, {"retained_from": "2024-01-01"}, "build", "the source changed"),
    ],
)
def test_plan_partitions(changes: dict, options: dict, action: str, reason: str):
    (planned,) = load_macros(model=MODEL).plan_partitions([row(**changes)], "sql", **options)
    assert planned["action"] == action
    assert reason in planned["reason"]


@pytest.mark.parametrize(
    "given", [["2024-01-01", "2024-03-31"], [date(2024, 1, 1), date(2024, 3, 31)]]
)
def test_parse_date_range_takes_dates_quoted_and_not(given: list):
    assert load_macros().parse_date_range("x", given) == ["2024-01-01", "2024-03-31"]


@pytest.mark.parametrize(
    "given",
    [
        *("2024-01-01", ["2024-01-01"], ["2024-01", "2024-02"], ["2024-03-31", "2024-01-01"]),
        *({"from": "2024-01-01", "to": "2024-03-31"}, 2024, ["2024-01-01"] * 3),
    ],
)
def test_parse_date_range_names_what_it_got(given: object):
    with pytest.raises(Refused, match="var rebuild_range: got .* expected two dates") as refused:
        load_macros().parse_date_range("var rebuild_range", given)
    assert str(given) in str(refused.value)


def test_plan_partitions_decides_each_row_by_itself():
    rows = [row(), row(sources="v2"), row(sources=None)]
    planned = load_macros(model=MODEL).plan_partitions(rows, "sql")
    assert [one["action"] for one in planned] == ["keep", "build", "keep"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("fecha", "got fecha, expected a mapping"),
        (None, "got None, expected a mapping"),
        (MONTH | {"interval": 1}, "unknown key 'interval', allowed are fields, granularity"),
        (MONTH | {"method": "list"}, "got 'list', allowed is range"),
        ({"granularity": "month"}, "expected a list of one date or timestamp column"),
        (MONTH | {"fields": "fecha"}, "got fecha, expected a list of one date"),
        (MONTH | {"fields": ["fecha", "hora"]}, "expected a list of one date"),
        (MONTH | {"fields": ["hora"]}, "column 'hora' needs a data_type in the yml of model fact_"),
        ({"fields": ["fecha"]}, "allowed are day, week, month, quarter, year"),
        (MONTH | {"granularity": "hour"}, "got 'hour', allowed are day, week, month, quarter"),
    ],
)
def test_parse_partition_by_names_what_it_got_and_what_is_allowed(config: Any, message: str):
    with pytest.raises(Refused, match=re.escape(message)):
        load_macros(model=MODEL).parse_partition_by(config)


def test_parse_partition_by():
    parsed = load_macros(model=MODEL).parse_partition_by(MONTH | {"method": "range"})
    assert parsed == {
        "column": "fecha",
        "granularity": "month",
        "step": "1 month",
        "suffix": "YYYYMM",
        "key_type": "date",
    }


@pytest.mark.parametrize("column", ["fecha", "ventas.fecha", '"Fecha"', 'v."Fecha"'])
def test_restrict_to_partition_replaces_every_marker(column: str):
    macros = load_macros(model=MODEL)
    marker = macros.partition_filter(column)
    assert marker.startswith("(true ")
    restricted = macros.restrict_to_partition(
        f"select 1 from a where {marker} union all select 2 from b where {marker} and true",
        "2024-01-01",
        "2024-02-01",
    )
    bounds = f"({column} >= '2024-01-01' and {column} < '2024-02-01')"
    assert restricted == (
        f"select 1 from a where {bounds} union all select 2 from b where {bounds} and true"
    )


def test_hash_sql_sees_meaning_and_not_layout():
    hash_sql = load_macros().hash_sql
    written = "select a, b\nfrom t  -- note\nwhere a > 1 /* long\nnote */"
    assert hash_sql(written) == hash_sql("select a, b from t where a > 1")
    assert hash_sql("select a") != hash_sql("select b")
    # Letters inside quotes mean something.
    assert hash_sql("select 'a'") != hash_sql("select 'A'")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select 'a--b'", "select 'a--c'"),
        ("select '/* a */'", "select '/* b */'"),
        ("select 'a  b'", "select 'a b'"),
        ('select 1 as "a--b"', 'select 1 as "a--c"'),
    ],
)
def test_hash_sql_sees_what_stands_in_quotes(one: str, other: str):
    hash_sql = load_macros().hash_sql
    assert hash_sql(one) != hash_sql(other)


def test_hash_sql_does_not_see_the_name_of_the_database():
    ours = load_macros().hash_sql('select * from "retail"."retail"."fact_ventas"')
    copy = load_macros(target=SimpleNamespace(database="copia"))
    assert copy.hash_sql('select * from "copia"."retail"."fact_ventas"') == ours
    assert copy.hash_sql('select * from "copia"."otro"."fact_ventas"') != ours


def test_hash_sql_sees_the_partition_filter():
    macros = load_macros()
    by_date = macros.hash_sql(f"select 1 where {macros.partition_filter('fecha')}")
    by_other = macros.hash_sql(f"select 1 where {macros.partition_filter('otra')}")
    assert by_date != by_other


def test_parse_indexes():
    (plain, rich) = load_macros(model=MODEL).parse_indexes(
        [
            {"columns": ["tienda_id", "fecha desc"]},
            {
                "columns": ["fecha"],
                "unique": True,
                "include": ["importe"],
                "with": "fillfactor = 90",
                "where": "importe > 0",
            },
        ]
    )
    assert plain["sql"] == "using btree (tienda_id, fecha desc)"
    assert plain["ending"] == "tienda_id_fecha_desc_idx"
    assert rich["sql"] == (
        "using btree (fecha) include (importe) with (fillfactor = 90) where importe > 0"
    )
    assert rich["ending"] == "fecha_key"
    assert not rich["serves_concurrent_refresh"]


@pytest.mark.parametrize(
    ("config", "serves"),
    [
        ({"columns": ["a", "b"], "unique": True}, True),
        ({"columns": ["a"]}, False),
        ({"columns": ["a"], "unique": True, "where": "a > 0"}, False),
        ({"columns": ["lower(a)"], "unique": True}, False),
        ({"columns": ["a desc"], "unique": True}, True),
    ],
)
def test_only_a_plain_unique_index_serves_a_concurrent_refresh(config: dict, serves: bool):
    (parsed,) = load_macros(model=MODEL).parse_indexes([config])
    assert bool(parsed["serves_concurrent_refresh"]) is serves


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"columns": "fecha"}, "columns must be a list such as"),
        ({"unique": True}, "columns must be a list such as"),
        ({"columns": ["fecha"], "type": "bitmap"}, "type 'bitmap', allowed are btree, brin"),
        ({"columns": ["fecha"], "concurrently": True}, "unknown key 'concurrently', allowed are"),
    ],
)
def test_parse_indexes_names_what_is_wrong(config: dict, message: str):
    with pytest.raises(Refused, match=re.escape(message)):
        load_macros(model=MODEL).parse_indexes([config])


def test_every_difference_between_indexes_changes_the_hash():
    configs: list[dict[str, Any]] = [
        {"columns": ["a", "b"]},
        {"columns": ["b", "a"]},
        {"columns": ["a", "b desc"]},
        {"columns": ["a", "b"], "unique": True},
        {"columns": ["a", "b"], "include": ["c"]},
        {"columns": ["a", "b"], "where": "a > 0"},
        {"columns": ["a", "b"], "type": "brin"},
        {"columns": ["a", "b"], "with": "fillfactor = 50"},
    ]
    parsed = load_macros(model=MODEL).parse_indexes(configs)
    assert len({index["hash"] for index in parsed}) == len(configs)


def test_shorten_name_keeps_short_ones_and_makes_long_ones_unique():
    shorten_name = load_macros().shorten_name
    assert shorten_name("a" * 63) == "a" * 63
    one, other = shorten_name("a" * 64), shorten_name("a" * 65)
    assert len(one) == len(other) == 63
    assert one != other
    assert shorten_name("a" * 64) == one


def test_shorten_name_counts_bytes_as_postgresql_does():
    shorten_name = load_macros().shorten_name
    assert len(shorten_name("ñ" * 60).encode()) <= 63


def node(materialized: str, *parents: str, **more: Any) -> dict[str, Any]:
    """A node of dbt's graph."""
    return {
        "resource_type": "model",
        "database": "d",
        "schema": "retail",
        "alias": "x",
        "raw_code": "select 1",
        "config": {"materialized": materialized},
        "depends_on": {"nodes": list(parents)},
    } | more


def walk(nodes: dict[str, Any], sources: dict[str, Any], of: str) -> dict[str, Any]:
    """The result of `upstream_versions` on a graph."""
    graph = {"nodes": nodes, "sources": sources}
    return load_macros(graph=graph).upstream_versions(nodes[of])


def test_the_walk_upstream_stops_at_what_carries_a_version():
    sources = {
        "source.ventas": {
            "resource_type": "source",
            "database": "d",
            "schema": "origen",
            "identifier": "ventas",
            "config": {"meta": {"version_query": "select mes as lower"}},
        },
        "source.sin_version": {
            "resource_type": "source",
            "database": "d",
            "schema": "origen",
            "identifier": "otra",
            "config": {},
        },
    }
    nodes = {
        "model.vista": node("view", "source.ventas", "source.sin_version", alias="vista"),
        "model.dim": node("upsert", "source.ventas", alias="dim"),
        "model.fact": node("partitioned", "model.vista", "model.dim", alias="fact"),
        "model.agg": node("partitioned", "model.fact", alias="agg"),
        "model.mv": node("materialized_view", "model.agg", alias="mv"),
        "model.mv2": node("materialized_view", "model.mv", "model.vista", alias="mv2"),
    }
    fact = walk(nodes, sources, "model.fact")
    assert len(fact["queries"]) == 2
    assert any("retail.dim" in query and "version" in query for query in fact["queries"])
    assert any("origen.ventas" in query and "select mes" in query for query in fact["queries"])
    assert len(fact["definition"]) == 1

    (query,) = walk(nodes, sources, "model.agg")["queries"]
    assert "retail.fact" in query
    assert "pg_inherits" in query
    assert walk(nodes, sources, "model.agg")["definition"] == []
    mv2 = walk(nodes, sources, "model.mv2")
    assert len(mv2["queries"]) == 2
    assert len(mv2["definition"]) == 1


def test_a_seed_upstream_counts_by_its_checksum():
    seed = {
        "resource_type": "seed",
        "database": "d",
        "schema": "staging",
        "alias": "canales",
        "config": {"materialized": "seed"},
        "checksum": {"checksum": "abc"},
        "depends_on": {"nodes": []},
    }
    nodes = {"seed.canales": seed, "model.mv": node("materialized_view", "seed.canales")}
    assert walk(nodes, {}, "model.mv") == {"queries": [], "definition": ["abc"]}


def test_a_view_read_twice_counts_once_and_its_layout_does_not():
    def definition(code: str) -> list[str]:
        nodes = {
            "model.a": node("view", raw_code=code, alias="a"),
            "model.b": node("view", "model.a", alias="b"),
            "model.c": node("view", "model.a", alias="c"),
            "model.mv": node("materialized_view", "model.b", "model.c", alias="mv"),
        }
        return walk(nodes, {}, "model.mv")["definition"]

    assert len(definition("select 1")) == 3
    assert definition("select 1") == definition("select  1 -- note")
    assert definition("select 1") != definition("select 2")


def test_refuse_message_lists_five_periods_and_counts_the_rest():
    refused = [row(lower=f"2024-01-0{n}", reason="why") for n in range(1, 8)]
    text = load_macros(model=MODEL).refuse_message(Relation("retail", "fact_ventas"), refused)
    assert "7 periods are refused, nothing was built" in text
    assert text.count("why") == 5
    assert "and 2 more" in text
    assert "retire_relation" in text


def test_constraints_take_the_names_that_postgresql_would_give():
    model = {
        "name": "fact",
        "columns": {
            "id": {"name": "id", "constraints": [{"type": "not_null"}, {"type": "unique"}]},
        },
        "constraints": [
            {"type": "primary_key", "columns": ["id", "fecha"]},
            {"type": "foreign_key", "columns": ["b"], "to": "retail.b", "to_columns": ["b_id"]},
            {"type": "foreign_key", "columns": ["a"], "to": "retail.a", "to_columns": ["a_id"]},
            {"type": "check", "name": "fact_positivo", "expression": "id > 0"},
        ],
    }
    found = load_macros(model=model).contract_constraints("fact")
    named = {one["name"]: one["sql"] for one in found}
    assert named["fact_pkey"] == "primary key (id, fecha)"
    assert named["fact_id_key"] == "unique (id)"
    assert named["fact_a_fkey"] == "foreign key (a) references retail.a (a_id)"
    assert named["fact_positivo"] == "check (id > 0)"
    # Two builds lock the referenced tables in one order, so they never wait for each other.
    assert [one["to"] for one in found if one["to"]] == ["retail.a", "retail.b"]


def test_an_unknown_constraint_is_named():
    model = {"name": "f", "columns": {}, "constraints": [{"type": "exclude", "columns": ["a"]}]}
    with pytest.raises(Refused, match="allowed are not_null, check, unique, primary_key"):
        load_macros(model=model).contract_constraints("f")


@pytest.mark.parametrize(
    ("operation", "arguments", "message"),
    [
        ("premake_partitions", {"model": "nada"}, "got 'nada', allowed are fact_a, fact_b"),
        ("report_partitions", {"model": "vista"}, "got 'vista', allowed are fact_a, fact_b"),
        ("retire_relation", {"model": "nada"}, "got 'nada', allowed are fact_a, fact_b, vista"),
        ("retain_partitions", {"model": "fact_a", "periods": 0}, "got '0', expected a number of"),
        ("retain_partitions", {"model": "fact_a", "periods": "x"}, "got 'x', expected a number"),
        (
            "detach_partitions",
            {"model": "fact_a", "before": "pronto"},
            "got 'pronto', expected a date such as 2022-01-01",
        ),
    ],
)
def test_an_operation_names_a_wrong_argument(operation: str, arguments: dict, message: str):
    nodes = {
        "model.b": node("partitioned", name="fact_b"),
        "model.a": node("partitioned", name="fact_a"),
        "model.v": node("view", name="vista"),
    }
    with pytest.raises(Refused, match=re.escape(message)):
        getattr(load_macros(graph={"nodes": nodes}), operation)(**arguments)
