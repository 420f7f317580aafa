{#
    Materialization `view`, in place of dbt's: a view whose SQL did not change is left alone, a changed one is replaced
    in place (`create or replace`), so its OID, dependants and grants survive. dbt's own renames and drops with CASCADE.

    A view that lacks a documented column is replaced too: its `select *` was expanded before the column was there.
    Where PostgreSQL cannot replace in place (a column goes or changes its type), the view is dropped and created in one
    transaction if nothing depends on it; otherwise the run stops with the list of dependants.
    Locks: ACCESS EXCLUSIVE on the view for an instant, by `retry_locks`. Run twice it does nothing.
#}
{% materialization view, adapter='postgres' %}
    {%- set relation = this.incorporate(type='view') -%}
    {%- set definition = pg_lifecycle.hash_sql(sql) -%}
    {%- do pg_lifecycle.begin_model(relation, sql) -%}

    {%- set existing_kind = pg_lifecycle.kind_of(relation) -%}
    {%- if existing_kind not in (none, 'v') -%}
        {%- do pg_lifecycle.refuse_kind(relation, existing_kind, 'view') -%}
    {%- endif -%}
    {%- set reads_retired = existing_kind == 'v' and pg_lifecycle.reads_retired_relation(relation) -%}
    {%- if existing_kind == 'v' and not reads_retired
        and pg_lifecycle.read_state(relation).get('definition') == definition
        and not pg_lifecycle._lacks_columns(relation) -%}
        {%- set view_sql = '' -%}
    {%- else -%}
        {%- do pg_lifecycle.log_decision(relation, 'view ' ~ ('new' if existing_kind is none else 'changed')) -%}
        {%- set view_sql = pg_lifecycle._replace_view(relation, sql, definition) -%}
    {%- endif -%}

    {%- do pg_lifecycle.finish_model(relation, 'view', view_sql) -%}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}


{# Whether a column of the model is not in the view. #}
{% macro _lacks_columns(relation) %}
    {%- set existing = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
    {{- return((model.columns.keys() | reject('in', existing) | list | length) > 0) -}}
{% endmacro %}


{# SQL that creates or replaces a view and keeps its definition hash with it. #}
{% macro _replace_view(relation, model_sql, definition) %}
{%- set create_sql -%}
begin
                create or replace view {{ relation }} as {{ model_sql }};
            exception when invalid_table_definition then
                dependants := (
                    select string_agg(name, ', ' order by depth, name)
                    from ({{ pg_lifecycle.dependants_query(relation) }}) as found
                );
                if dependants is not null then
                    raise exception using
                        message = {{ pg_lifecycle.literal(
                            relation.render() ~ ': its columns change, and these depend on it: '
                        ) }} || dependants,
                        hint = 'Nothing was dropped. Change or drop them first, '
                            'or keep the columns and add new ones at the end.';
                end if;
                drop view {{ relation }};
                create view {{ relation }} as {{ model_sql }};
            end;
{%- endset %}
{{ pg_lifecycle.retry_locks(relation.render(), create_sql, declare='dependants text;') }}
{{ pg_lifecycle.comment_with_state('view', relation, model.description, pg_lifecycle.state_sql('', definition)) }}
{{ pg_lifecycle.grant_as_configured(relation) }}
{% endmacro %}
