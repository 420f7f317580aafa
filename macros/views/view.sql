{#
    Materialization `view`, in place of dbt's: a view whose SQL did not change is left alone, a changed one is replaced
    in place (`create or replace`), so its OID, dependants and grants survive. dbt's own renames and drops with CASCADE.

    Where PostgreSQL cannot replace in place (a column goes or changes its type), the view is dropped and created in one
    transaction if nothing depends on it; otherwise the run stops with the list of dependants.
    Locks: ACCESS EXCLUSIVE on the view for an instant, by `retry_locks`. Run twice it does nothing.
#}
{% materialization view, adapter='postgres' %}
    {%- set relation = this.incorporate(type='view') -%}
    {%- set definition = hash_sql(sql) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {% if config.get('contract').enforced %}
        {% do get_assert_columns_equivalent(sql) %}
    {% endif %}
    {% do lock_model(relation) %}

    {% set existing_kind = kind_of(relation) %}
    {% if existing_kind is not none and existing_kind != 'v' %}
        {% do exceptions.raise_compiler_error(relation.render() ~ ": exists, but is no view. Move it away: dbt run-operation retire_relation --args '{model: " ~ model.name ~ ", dry_run: false}'") %}
    {% endif %}
    {% set reads_retired = existing_kind == 'v' and reads_retired_relation(relation) %}
    {% if existing_kind == 'v' and read_state(relation).get('definition') == definition and not reads_retired %}
        {% set view_sql = '' %}
    {% else %}
        {% do log_decision(relation, 'view ' ~ ('new' if existing_kind is none else 'changed')) %}
        {% set view_sql = replace_view(relation, sql, definition) %}
    {% endif %}
    {% do run_in_transaction('main', view_sql ~ '\n select 1;', synchronous=true) %}
    {% set documentation = document_relation(relation, 'view') %}
    {% if documentation %}
        {% do run_in_transaction('documentation', documentation, synchronous=true) %}
    {% endif %}
    {% do unlock_model(relation) %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}


{# SQL that creates or replaces a view and keeps its definition hash with it. #}
{% macro replace_view(relation, model_sql, definition) %}
{%- set create_sql -%}
begin
                create or replace view {{ relation }} as {{ model_sql }};
            exception when invalid_table_definition then
                dependants := ({{ dependants_of(relation) }});
                if dependants is not null then
                    raise exception '{{ relation.render() }}: its columns change, and these depend on it: %', dependants
                        using hint = 'Nothing was dropped. Change or drop them first, or keep the columns and add new ones at the end.';
                end if;
                drop view {{ relation }};
                create view {{ relation }} as {{ model_sql }};
            end;
{%- endset %}
{{ retry_locks(relation.render(), create_sql, declare='dependants text;') }}
{{ comment_with_state('view', relation, model.description, state_sql('', definition)) }}
{{ grant_as_configured(relation) }}
{% endmacro %}
