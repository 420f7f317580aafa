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
    with pytest.raises(Refused, match="var rebuild_range: got .*; allowed: two dates") as refused:
        load_macros(model=MODEL).parse_date_range("var rebuild_range", given)
    assert str(given) in str(refused.value)


def test_plan_partitions_decides_each_row_by_itself():
    rows = [row(), row(sources="v2"), row(sources=None)]
    planned = load_macros(model=MODEL).plan_partitions(rows, "sql")
    assert [one["action"] for one in planned] == ["keep", "build", "keep"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("fecha", "fact_ventas, partition_by: got fecha; allowed: a mapping"),
        (None, "got None; allowed: a mapping"),
        (MONTH | {"interval": 1}, "unknown key 'interval'; allowed: fields, granularity"),
        (MONTH | {"method": "list"}, "got 'list'; allowed: range"),
        ({"granularity": "month"}, "allowed: a list of one date or timestamp column"),
        (MONTH | {"fields": "fecha"}, "got fecha; allowed: a list of one date"),
        (MONTH | {"fields": ["fecha", "hora"]}, "allowed: a list of one date"),
        (MONTH | {"fields": ["hora"]}, "got 'hora'; allowed: a column that has a data_type"),
        ({"fields": ["fecha"]}, "allowed: day, week, month, quarter, year"),
        (MONTH | {"granularity": "hour"}, "got 'hour'; allowed: day, week, month, quarter"),
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
    assert plain["sql"] == 'using btree (tienda_id, "fecha" desc)'
    assert plain["ending"] == "tienda_id_fecha_desc_idx"
    assert rich["sql"] == (
        'using btree ("fecha") include (importe) with (fillfactor = 90) where importe > 0'
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
        ({"columns": "fecha"}, "columns: got "),
        ({"unique": True}, "columns: got "),
        ({"columns": ["fecha"], "type": "bitmap"}, "got 'bitmap'; allowed: btree, brin"),
        ({"columns": ["fecha"], "concurrently": True}, "unknown key 'concurrently'; allowed:"),
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
        "name": "x",
        "alias": "x",
        "config": {"materialized": materialized},
        "depends_on": {"nodes": list(parents)},
    } | more


def source(name: str, **meta: Any) -> dict[str, Any]:
    """A source of dbt's graph."""
    return {
        "resource_type": "source",
        "database": "d",
        "schema": "origen",
        "name": name,
        "identifier": name,
        "config": {"meta": meta},
    }


GRAPH = {
    "sources": {
        "source.ventas": source("ventas", versions="versiones"),
        "source.sin_version": source("sin_version"),
    },
    "nodes": {
        "seed.canales": node("seed", resource_type="seed", alias="canales", name="canales"),
        "model.vista": node(
            "view", "source.ventas", "source.sin_version", "seed.canales", alias="vista"
        ),
        "model.efimera": node("ephemeral", "model.vista", alias="efimera"),
        "model.dim": node("upsert", "source.ventas", alias="dim", name="dim"),
        "model.fact": node("partitioned", "model.efimera", "model.dim", alias="fact"),
        "model.agg": node("partitioned", "model.fact", alias="agg"),
        "model.mv": node("materialized_view", "model.agg", alias="mv"),
        "model.mv2": node("materialized_view", "model.mv", "model.dim", alias="mv2"),
    },
}


def walk(of: str, sql: str | None = None, **config: Any) -> dict[str, Any]:
    """What `upstream_versions` finds above a model; each query by the relation it is for."""
    above = GRAPH["nodes"][of] | {"config": GRAPH["nodes"][of]["config"] | config}
    found = load_macros(
        graph=GRAPH,
        model=above,
        invocation_id="i",
        run_query=lambda query: [],
        versiones=lambda relation: f"select mes as lower from {relation}",
    ).upstream_versions(above, sql)
    origins = [re.match(r"select '([\w.]+)'", query).group(1) for query in found["queries"]]
    return {"has_periods": found["has_periods"]} | dict(zip(origins, found["queries"], strict=True))


def test_the_walk_upstream_stops_at_what_holds_rows():
    fact = walk("model.fact")
    assert set(fact) == {
        "has_periods",
        *("retail.dim", "retail.vista", "origen.ventas", "origen.sin_version", "retail.canales"),
    }
    assert fact["has_periods"]
    assert "select mes as lower from origen.ventas" in fact["origen.ventas"]
    # A plain table tells by its files and PostgreSQL's counts, a seed by its rows, a view by SQL.
    assert "relfilenode" in fact["origen.sin_version"]
    assert "string_agg(seed::text" in fact["retail.canales"]
    assert "'definition'" in fact["retail.vista"]
    agg = walk("model.agg")
    assert set(agg) == {"has_periods", "retail.fact"}
    assert "pg_inherits" in agg["retail.fact"]
    mv2 = walk("model.mv2")
    assert set(mv2) == {"has_periods", "retail.mv", "retail.dim"}
    assert not mv2["has_periods"]


def test_a_parent_that_the_sql_does_not_name_is_not_read():
    sql = "select * from origen.ventas, retail.vista -- retail.dim, only a foreign key"
    assert "retail.dim" not in walk("model.fact", sql)
    assert "retail.vista" in walk("model.fact", sql)


def test_changes_of_a_parent_can_be_ignored_and_a_name_that_is_none_is_refused():
    ignored = walk("model.fact", ignores_changes_of=["sin_version", "dim"])
    assert not {"origen.sin_version", "retail.dim"} & set(ignored)
    assert "origen.ventas" in ignored
    with pytest.raises(Refused, match="ignores_changes_of: got 'nada'; allowed: names of models"):
        walk("model.fact", "select 1 from vista", ignores_changes_of=["nada"])


def test_a_hook_names_a_macro():
    macros = load_macros(model=MODEL, mine=lambda relation, lower: f" {relation} {lower} ")
    assert macros.call_hook("publish_check", "mine", MODEL, "r", "2024-01-01") == "r 2024-01-01"
    assert macros.call_hook("x", "pg_lifecycle.literal", MODEL, "it's") == "'it''s'"
    for name in ("nothing", "pg_lifecycle.nothing", "no_package.nothing", "select 1"):
        with pytest.raises(Refused, match=f"fact_ventas, publish_check: got '{name}'; allowed"):
            macros.call_hook("publish_check", name, MODEL)


def test_refuse_message_lists_five_periods_and_counts_the_rest():
    refused = [row(lower=f"2024-01-0{n}", reason="why") for n in range(1, 8)]
    text = load_macros(model=MODEL).refuse_message(Relation("retail", "fact_ventas"), refused)
    assert "7 periods of retail.fact_ventas are refused, nothing was built" in text
    assert text.count("why") == 5
    assert "and 2 more" in text
    assert "retire_relation" in text


def test_constraints_take_the_names_that_postgresql_would_give():
    model = {
        "name": "fact",
        "columns": {
            "id": {"name": "id", "constraints": [{"type": "not_null"}, {"type": "unique"}]},
            **{name: {"name": name, "constraints": []} for name in ("fecha", "a", "b")},
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
    assert named["fact_pkey"] == 'primary key ("id", "fecha")'
    assert named["fact_id_key"] == 'unique ("id")'
    assert named["fact_a_fkey"] == 'foreign key ("a") references retail.a ("a_id")'
    assert named["fact_positivo"] == "check (id > 0)"
    # Two builds lock the referenced tables in one order, so they never wait for each other.
    assert [one["to"] for one in found if one["to"]] == ["retail.a", "retail.b"]


def _placed(materialized: str = "partitioned", kind: str = "model", **config: Any) -> dict:
    columns = {name: {"name": name, "constraints": []} for name in ("id", "fecha")}
    return {
        "name": "fact",
        "resource_type": kind,
        "config": {"materialized": materialized} | config,
        "columns": columns,
        "constraints": [
            {"type": "primary_key", "columns": ["fecha"]},
            {"type": "check", "name": "fact_positivo", "expression": "id > 0"},
        ],
    }


def test_a_placement_counts_only_on_a_cluster():
    model = _placed(distributed_by="id")
    assert load_macros().placement_of(model) == {"kind": "local", "column": None}
    assert load_macros(citus=True).placement_of(model) == {"kind": "distributed", "column": "id"}
    reference = _placed("upsert", reference=True)
    assert load_macros(citus=True).placement_of(reference)["kind"] == "reference"
    assert load_macros(citus=True).placement_of(_placed())["kind"] == "local"


def test_a_key_of_a_distributed_table_holds_the_distribution_column():
    def key(citus: bool) -> str:
        macros = load_macros(citus=citus, model=_placed(distributed_by="id"))
        (found,) = [one for one in macros.contract_constraints("fact") if one["kind"] != "check"]
        return found["sql"]

    assert key(citus=False) == 'primary key ("fecha")'
    assert key(citus=True) == 'primary key ("fecha", "id")'


@pytest.mark.parametrize("citus", [False, True], ids=["plain", "citus"])
@pytest.mark.parametrize(
    ("model", "message"),
    [
        (_placed("upsert", distributed_by="id", reference=True), "got both; allowed: one of them"),
        (_placed(distributed_by="nada"), "distributed_by: got 'nada'; allowed: one of its columns"),
        (_placed(distributed_by=7), "distributed_by: got '7'"),
        (_placed("upsert", reference="si"), "reference: got 'si'; allowed: true or false"),
        (_placed(reference=True), "allowed: distributed_by; a reference table has no partitions"),
        (_placed("view", distributed_by="id"), "got a view model; allowed: partitioned and upsert"),
    ],
)
def test_a_wrong_placement_is_refused_before_the_day_of_the_move(
    citus: bool, model: dict, message: str
):
    with pytest.raises(Refused, match=re.escape(message)):
        load_macros(citus=citus).placement_of(model)


def test_an_unknown_constraint_is_named():
    model = {"name": "f", "columns": {}, "constraints": [{"type": "exclude", "columns": ["a"]}]}
    with pytest.raises(Refused, match="allowed: not_null, primary_key, check, unique"):
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
