{#
    Materialization `materialized_view`, in place of dbt-postgres': readers never wait, a changed SELECT is noticed, and
    nothing is refreshed when nothing that it reads has changed.

    Config: indexes (see `parse_indexes`; a plain unique one lets it be refreshed CONCURRENTLY),
    on_dependants: 'stop' (default) or 'rebuild', for views that read it when its SELECT changes.

    - missing: created with its indexes;
    - SELECT changed (hash kept with the view): built beside as `<name>__new`, indexed, swapped in one short transaction;
    - indexes changed: reconciled in place, the data stay;
    - upstream versions changed, or --full-refresh: REFRESH ... CONCURRENTLY;
    - otherwise: left alone.
    Locks: EXCLUSIVE while it is refreshed (readers do not notice); ACCESS EXCLUSIVE for the swap, by `retry_locks`.
#}
{% materialization materialized_view, adapter='postgres' %}
    {%- set relation = this.incorporate(type=this.MaterializedView) -%}
    {%- set indexes = parse_indexes(config.get('indexes')) -%}
    {%- set upstream = upstream_versions(model) -%}
    {%- set definition = local_md5(([hash_sql(sql)] + upstream.definition) | join(',')) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {% if config.get('contract').enforced %}
        {% do get_assert_columns_equivalent(sql) %}
    {% endif %}
    {% do lock_model(relation) %}

    {% set sources = read_sources(upstream) %}
    {% set existing_kind = kind_of(relation) %}
    {% set state = read_state(relation) %}
    {% if existing_kind is not none and existing_kind != 'm' %}
        {% do exceptions.raise_compiler_error(relation.render() ~ ": exists, but is no materialized view. Move it away: dbt run-operation retire_relation --args '{model: " ~ model.name ~ ", dry_run: false}'") %}
    {% elif existing_kind is none %}
        {% do log_decision(relation, 'new materialized view') %}
        {% set build_sql = create_materialized_view(relation, sql, indexes, sources, definition) %}
    {% elif reads_retired_relation(relation) %}
        {% do log_decision(relation, 'it reads a retired relation: built beside and swapped') %}
        {% set build_sql = swap_materialized_view(relation, sql, indexes, sources, definition, 'rebuild') %}
    {% elif state.get('definition') != definition %}
        {% do log_decision(relation, 'its SQL changed: built beside and swapped') %}
        {% set build_sql = swap_materialized_view(
            relation, sql, indexes, sources, definition, config.get('on_dependants', 'stop')
        ) %}
    {% elif state.get('sources') != sources or should_full_refresh() or not is_populated(relation) %}
        {% set build_sql = reconcile_indexes(relation, indexes) ~ refresh_materialized_view_in_place(relation, indexes, sources, definition) %}
    {% else %}
        {% do log_decision(relation, 'up to date') %}
        {% set build_sql = reconcile_indexes(relation, indexes) %}
    {% endif %}

    {% do run_in_transaction('main', build_sql ~ '\n select 1;', synchronous=true) %}
    {% set documentation = document_relation(relation, 'materialized view') %}
    {% if documentation %}
        {% do run_in_transaction('documentation', documentation, synchronous=true) %}
    {% endif %}
    {% do unlock_model(relation) %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}


{# The hash of the versions of all that a model reads, from the catalog and the bookkeeping only. #}
{% macro read_sources(upstream) %}
    {%- set sources_sql -%}
        select md5(coalesce(string_agg(concat_ws('|', origin, lower, version), ',' order by origin, lower), '')) as sources
        from ({{ upstream.queries | join('\n    union all ') or 'select null, null, null, null' }}) as upstream (origin, lower, upper, version)
    {%- endset -%}
    {{- return(run_query(sources_sql)[0]['sources']) -}}
{% endmacro %}


{# Whether a materialized view holds data (false after CREATE ... WITH NO DATA): only then can readers go on during a refresh. #}
{% macro is_populated(relation) %}
    {%- set populated_sql -%}
        select relispopulated as populated from pg_catalog.pg_class where oid = to_regclass('{{ relation.render() }}')
    {%- endset -%}
    {{- return(run_query(populated_sql)[0]['populated']) -}}
{% endmacro %}


{# SQL that creates a materialized view with its data, indexes, statistics, descriptions, grants and state. #}
{% macro create_materialized_view(relation, model_sql, indexes, sources, definition) %}
create materialized view {{ relation }} as
{% if config.get('contract').enforced -%}
select {{ cast_columns() }}
from (
{{ model_sql }}
) as model_rows;
{%- else -%}
{{ model_sql }};
{%- endif %}
{%- for index in indexes %}
{{ create_index(relation, index, index_name(relation.identifier, index)) }}
{%- endfor %}
analyze {{ relation }};
{{ comment_with_state('materialized view', relation, model.description, state_sql(sources, definition, 'select count(*) from ' ~ relation)) }}
{{ comment_columns(relation) }}
{{ grant_as_configured(relation) }}
{% endmacro %}


{#
    SQL that builds the view anew beside the old one and swaps them. Dependants would be dropped with the old view: the
    run stops with their list (`on_dependants` 'stop'), or they are created again from their own definitions in the same
    transaction ('rebuild', always so when the view reads a retired relation: its columns are the same).
#}
{% macro swap_materialized_view(relation, model_sql, indexes, sources, definition, on_dependants) %}
    {%- set new = relation.incorporate(path={'identifier': new_name(relation.identifier)}) -%}
    {%- set schema = relation.include(database=false, identifier=false) -%}
    {%- if on_dependants not in ('stop', 'rebuild') -%}
        {%- do exceptions.raise_compiler_error("on_dependants of " ~ model.name ~ ": got '" ~ on_dependants ~ "', allowed are stop, rebuild") -%}
    {%- endif -%}
    {%- set dependants = read_dependants(relation) -%}
    {%- if dependants and on_dependants == 'stop' -%}
        {%- do exceptions.raise_compiler_error(
            relation.render() ~ ": its SQL changed, and these read it: " ~ dependants | map(attribute='name') | join(', ')
            ~ ".\nNothing was changed. Drop them first, or set on_dependants: rebuild in the config of " ~ model.name ~ " to have them created again in the same transaction."
        ) -%}
    {%- endif -%}
    {%- set swap -%}
        {%- for dependant in dependants | reverse %}
            drop {{ dependant.kind }} {{ dependant.name }};
        {%- endfor %}
            drop materialized view {{ relation }};
            alter materialized view {{ new }} rename to {{ relation.identifier }};
        {%- for index in indexes %}
            alter index {{ schema }}.{{ index_name(new.identifier, index) }} rename to {{ index_name(relation.identifier, index) }};
        {%- endfor %}
        {%- for dependant in dependants %}
            {{ dependant.create_sql }}
        {%- endfor %}
    {%- endset -%}
drop materialized view if exists {{ new }};
{{ create_materialized_view(new, model_sql, indexes, sources, definition) }}
{{ retry_locks(relation.render(), swap) }}
{% endmacro %}


{#
    SQL that refreshes in place: CONCURRENTLY when there is a plain unique index and the view holds data, so that readers
    do not wait; otherwise plainly, with a warning. PostgreSQL analyses the copy that it compares with the view: a small
    sample does, the view itself is analysed as usual.
#}
{% macro refresh_materialized_view_in_place(relation, indexes, sources, definition) %}
    {%- set concurrently = indexes | selectattr('serves_concurrent_refresh') | list and is_populated(relation) -%}
    {%- if concurrently -%}
        {%- do log_decision(relation, 'refresh concurrently') -%}
    {%- else -%}
        {%- do exceptions.warn(
            relation.render() ~ ": refreshed with a lock that readers wait for, because it "
            ~ ("has no unique btree index on plain columns without WHERE" if is_populated(relation) else "holds no data yet")
        ) -%}
    {%- endif %}
set local default_statistics_target = 10;
refresh materialized view {{ 'concurrently ' if concurrently }}{{ relation }};
set local default_statistics_target to default;
analyze {{ relation }};
{{ comment_with_state('materialized view', relation, model.description,
    state_of("to_regclass('" ~ relation.render() ~ "')") ~ " || " ~ state_sql(sources, definition, 'select count(*) from ' ~ relation)) }}
{% endmacro %}


{#
    The dependants of a relation, nearest first, each as {name, kind, create_sql}: SQL that creates it again with its
    indexes, comment and privileges, from PostgreSQL's own description of it.
#}
{% macro read_dependants(relation) %}
    {%- set dependants_sql -%}
        select
            dependants.name,
            case dependants.kind when 'm' then 'materialized view' else 'view' end as kind,
            concat_ws(
                E'\n            ',
                format('create %s %s as %s', case dependants.kind when 'm' then 'materialized view' else 'view' end, dependants.name, pg_get_viewdef(dependants.oid)),
                (select string_agg(pg_get_indexdef(indexrelid) || ';', ' ') from pg_catalog.pg_index where indrelid = dependants.oid),
                format('comment on %s %s is %L;', case dependants.kind when 'm' then 'materialized view' else 'view' end, dependants.name, obj_description(dependants.oid, 'pg_class')),
                (
                    select string_agg(format('comment on column %s.%I is %L;', dependants.name, attname, col_description(dependants.oid, attnum)), ' ')
                    from pg_catalog.pg_attribute
                    where attrelid = dependants.oid and attnum > 0 and col_description(dependants.oid, attnum) is not null
                ),
                (
                    select string_agg(format('grant %s on %s to %s;', acl.privilege_type, dependants.name, case when acl.grantee = 0 then 'public' else acl.grantee::regrole::text end), ' ')
                    from pg_catalog.pg_class
                    cross join lateral aclexplode(relacl) as acl
                    where pg_class.oid = dependants.oid and acl.grantee != relowner
                )
            ) as create_sql
        from ({{ dependants_query(relation) }}) as dependants
        order by dependants.depth
    {%- endset -%}
    {%- set found = [] -%}
    {%- for row in run_query(dependants_sql) -%}
        {%- do found.append({'name': row['name'], 'kind': row['kind'], 'create_sql': row['create_sql']}) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}
