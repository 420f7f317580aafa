{#
    Materialization `materialized_view`, in place of dbt-postgres': readers never wait, a changed SELECT is noticed, and
    nothing is refreshed when nothing that it reads has changed.

    Config: indexes (see `parse_indexes`; a plain unique one lets it be refreshed CONCURRENTLY), ignores_changes_of (see
    `upstream_versions`), on_dependants: 'stop' (default) or 'rebuild', for views that read it when its SELECT changes.

    - missing: created with its indexes;
    - SELECT changed (hash kept with the view): built beside as `<name>__new`, indexed, swapped in one short
      transaction;
    - indexes changed: reconciled in place, the data stay;
    - upstream versions changed, or --full-refresh: REFRESH ... CONCURRENTLY;
    - otherwise: left alone.
    Locks: EXCLUSIVE while it is refreshed (readers do not notice); ACCESS EXCLUSIVE for the swap, by `retry_locks`.
#}
{% materialization materialized_view, adapter='postgres' %}
    {%- set relation = this.incorporate(type=this.MaterializedView) -%}
    {%- set indexes = pg_lifecycle.parse_indexes(config.get('indexes')) -%}
    {%- set on_dependants = config.get('on_dependants', 'stop') -%}
    {%- if on_dependants not in ('stop', 'rebuild') -%}
        {%- do pg_lifecycle.refuse('on_dependants', "'" ~ on_dependants ~ "'", 'stop, rebuild') -%}
    {%- endif -%}
    {%- set upstream = pg_lifecycle.upstream_versions(model, sql) -%}
    {%- set definition = pg_lifecycle.hash_sql(sql) -%}
    {%- do pg_lifecycle.begin_model(relation, sql) -%}

    {%- set sources = pg_lifecycle._read_sources(relation, upstream) -%}
    {%- set existing_kind = pg_lifecycle.kind_of(relation) -%}
    {%- set state = pg_lifecycle.read_state(relation) -%}
    {%- if existing_kind not in (none, 'm') -%}
        {%- do pg_lifecycle.refuse_kind(relation, existing_kind, 'materialized view') -%}
    {%- elif existing_kind is none -%}
        {%- do pg_lifecycle.log_decision(relation, 'new materialized view') -%}
        {%- set build_sql = pg_lifecycle._create_materialized_view(relation, sql, indexes, sources, definition) -%}
    {%- elif pg_lifecycle.reads_retired_relation(relation) -%}
        {%- do pg_lifecycle.log_decision(relation, 'it reads a retired relation: built beside and swapped') -%}
        {%- set build_sql = pg_lifecycle._swap_materialized_view(
            relation, sql, indexes, sources, definition, 'rebuild'
        ) -%}
    {%- elif state.get('definition') != definition -%}
        {%- do pg_lifecycle.log_decision(relation, 'its SQL changed: built beside and swapped') -%}
        {%- set build_sql = pg_lifecycle._swap_materialized_view(
            relation, sql, indexes, sources, definition, on_dependants
        ) -%}
    {%- else -%}
        {%- set populated = pg_lifecycle._is_populated(relation) -%}
        {%- set build_sql = pg_lifecycle.reconcile_indexes(relation, indexes) -%}
        {%- if state.get('sources') == sources and populated and not should_full_refresh() -%}
            {%- do pg_lifecycle.log_decision(relation, 'up to date') -%}
        {%- else -%}
            {%- set build_sql = build_sql
                ~ pg_lifecycle._refresh_in_place(relation, indexes, sources, definition, populated) -%}
        {%- endif -%}
    {%- endif -%}

    {%- do pg_lifecycle.finish_model(relation, 'materialized view', build_sql) -%}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}


{# The hash of the versions of all that a model reads, from the catalog and the bookkeeping only. #}
{% macro _read_sources(relation, upstream) %}
    {%- set sources_query -%}
        with

        upstream (origin, lower, upper, version) as (
            {{ upstream.queries | join('\n    union all ') or "select '', '', '', '' where false" }}
        )

        select
            md5(
                coalesce(string_agg(concat_ws('|', origin, lower, version), ',' order by origin, lower), '')
            ) as sources,
            coalesce(jsonb_agg(distinct origin) filter (where version like 'unknown:%'), '[]')::text as unknown
        from upstream
    {%- endset -%}
    {%- set result = run_query(sources_query)[0] -%}
    {%- do pg_lifecycle.log_unknown(relation, fromjson(result['unknown'])) -%}
    {{- return(result['sources']) -}}
{% endmacro %}


{# Whether a materialized view holds data (false after WITH NO DATA): only then can readers go on during a refresh. #}
{% macro _is_populated(relation) %}
    {%- set populated_query -%}
        select relispopulated as populated from pg_catalog.pg_class where oid = {{ pg_lifecycle.oid_of(relation) }}
    {%- endset -%}
    {{- return(run_query(populated_query)[0]['populated']) -}}
{% endmacro %}


{# SQL that creates a materialized view with its data, indexes, statistics, descriptions, grants and state. #}
{% macro _create_materialized_view(relation, model_sql, indexes, sources, definition) %}
create materialized view {{ relation }} as
{% if config.get('contract').enforced -%}
select {{ pg_lifecycle.cast_columns() }}
from (
{{ model_sql }}
) as model_rows;
{%- else -%}
{{ model_sql }};
{%- endif %}
{%- for index in indexes %}
{{ pg_lifecycle.create_index(relation, index) }}
{%- endfor %}
analyze {{ relation }};
{{ pg_lifecycle.comment_with_state(
    'materialized view', relation, model.description,
    pg_lifecycle.state_sql(sources, definition, 'select count(*) from ' ~ relation)
) }}
{{ pg_lifecycle.comment_columns(relation) }}
{{ pg_lifecycle.grant_as_configured(relation) }}
{% endmacro %}


{#
    SQL that builds the view anew beside the old one and swaps them. Dependants would be dropped with the old view: the
    run stops with their list (`on_dependants` 'stop'), or they are created again from their own definitions in the same
    transaction ('rebuild', always so when the view reads a retired relation: its columns are the same).
#}
{% macro _swap_materialized_view(relation, model_sql, indexes, sources, definition, on_dependants) %}
    {%- set new = pg_lifecycle.beside(relation, pg_lifecycle.new_name(relation.identifier)) -%}
    {%- set dependants = pg_lifecycle.read_dependants(relation) -%}
    {%- if dependants and on_dependants == 'stop' -%}
        {%- do exceptions.raise_compiler_error(
            'model ' ~ model.name ~ ': ' ~ relation.render() ~ ': its SQL changed, and these read it: '
            ~ dependants | map(attribute='name') | join(', ')
            ~ '.\nNothing was changed. Drop them first, or set on_dependants: rebuild in the config of ' ~ model.name
            ~ ' to have them created again in the same transaction.'
        ) -%}
    {%- endif -%}
    {%- set swap -%}
        {%- for dependant in dependants | reverse %}
            drop {{ dependant.kind }} {{ dependant.name }};
        {%- endfor %}
            drop materialized view {{ relation }};
            alter materialized view {{ new }} rename to {{ adapter.quote(relation.identifier) }};
        {%- for index in indexes %}
            {{ pg_lifecycle.rename_index(
                relation, pg_lifecycle.index_name(new.identifier, index),
                pg_lifecycle.index_name(relation.identifier, index)
            ) }}
        {%- endfor %}
        {%- for dependant in dependants %}
            {{ dependant.create_sql }}
        {%- endfor %}
    {%- endset -%}
drop materialized view if exists {{ new }};
{{ pg_lifecycle._create_materialized_view(new, model_sql, indexes, sources, definition) }}
{{ pg_lifecycle.retry_locks(relation.render(), swap) }}
{% endmacro %}


{#
    SQL that refreshes in place: CONCURRENTLY when there is a plain unique index and the view holds data, so that
    readers do not wait; otherwise plainly, with a warning. PostgreSQL analyses the copy that it compares with the view:
    a small sample does, the view itself is analysed as usual.
#}
{% macro _refresh_in_place(relation, indexes, sources, definition, populated) %}
    {%- set concurrently = indexes | selectattr('serves_concurrent_refresh') | list and populated -%}
    {%- if concurrently -%}
        {%- do pg_lifecycle.log_decision(relation, 'refresh concurrently') -%}
    {%- else -%}
        {%- do exceptions.warn(
            'model ' ~ model.name ~ ': ' ~ relation.render()
            ~ ' is refreshed with a lock that readers wait for, because it '
            ~ ('has no unique btree index on plain columns without WHERE' if populated else 'holds no data yet')
        ) -%}
    {%- endif %}
{{ pg_lifecycle.alone('set local default_statistics_target = 10;') }}
refresh materialized view {{ 'concurrently ' if concurrently }}{{ relation }};
{{ pg_lifecycle.alone('set local default_statistics_target to default;') }}
analyze {{ relation }};
{{ pg_lifecycle.comment_with_state(
    'materialized view', relation, model.description,
    pg_lifecycle.state_of(pg_lifecycle.oid_of(relation)) ~ ' || '
    ~ pg_lifecycle.state_sql(sources, definition, 'select count(*) from ' ~ relation)
) }}
{% endmacro %}
