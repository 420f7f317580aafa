{#
    Materialization `upsert`: a table merged in place by its primary key. Rows are inserted or, where a value differs,
    updated; none is deleted, because facts refer to them; the table is never dropped, not even by `--full-refresh`
    (every row is compared on every run, so there is nothing to rebuild).

    Config: indexes (see `parse_indexes`). The contract must have a primary key.
    INSERT ... ON CONFLICT rather than MERGE: it is safe against a concurrent insert. Locks rows, readers do not notice.
    The version of the table (see `state_of`) changes only when a row did. Run twice it changes nothing.
#}
{% materialization upsert, adapter='postgres' %}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set indexes = parse_indexes(config.get('indexes')) -%}
    {%- set constraints = contract_constraints(relation.identifier) -%}
    {%- set keys = constraints | selectattr('kind', 'equalto', 'primary_key') | list -%}
    {%- if not keys or not config.get('contract').enforced -%}
        {%- do exceptions.raise_compiler_error("model " ~ model.name ~ ": an upsert model needs an enforced contract with a primary key to merge by") -%}
    {%- endif -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {% do get_assert_columns_equivalent(sql) %}
    {% do lock_model(relation) %}

    {% set existing_kind = kind_of(relation) %}
    {% if existing_kind is none %}
        {% do log_decision(relation, 'new table') %}
        {% set ddl = create_table(relation, constraints, indexes) %}
    {% elif existing_kind != 'r' %}
        {% do exceptions.raise_compiler_error(relation.render() ~ ": exists, but is no plain table. Move it away: dbt run-operation retire_relation --args '{model: " ~ model.name ~ ", dry_run: false}'") %}
    {% else %}
        {% set columns = compare_columns(relation) %}
        {% set differences = columns.differences + compare_constraints(relation, constraints) %}
        {% if differences %}
            {% do exceptions.raise_compiler_error(
                relation.render() ~ " differs from its model in a way that cannot be changed in place:\n  - " ~ differences | join('\n  - ')
                ~ "\nNothing was changed. Move it away and build it anew: dbt run-operation retire_relation --args '{model: " ~ model.name ~ ", dry_run: false}'"
            ) %}
        {% endif %}
        {% set ddl = columns.statements | join('\n') ~ reconcile_indexes(relation, indexes) %}
    {% endif %}

    {% do run_in_transaction('main', ddl ~ merge_rows(relation, keys[0].columns, sql), synchronous=true) %}
    {% set documentation = document_relation(relation, 'table') %}
    {% if documentation %}
        {% do run_in_transaction('documentation', documentation, synchronous=true) %}
    {% endif %}
    {% do unlock_model(relation) %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}


{# SQL that creates an empty table with the constraints of the contract and the indexes of the model. #}
{% macro create_table(relation, constraints, indexes) %}
create table {{ relation }} ({{ typed_columns() }});
{{ add_constraints(relation, constraints, ['not_null', 'check', 'primary_key', 'unique', 'foreign_key']) }}
{%- for index in indexes %}
{{ create_index(relation, index, index_name(relation.identifier, index)) }}
{%- endfor %}
{% endmacro %}


{# SQL that merges the rows of a query into a table by key, and gives the table a new version if a row changed. #}
{% macro merge_rows(relation, key_columns, model_sql) %}
{%- set columns = model.columns.keys() | map('string') | list -%}
{%- set others = columns | reject('in', key_columns) | list -%}
do $merge$
declare
    changed_rows bigint;
begin
    insert into {{ relation }} as kept ({{ columns | join(', ') }})
    select {{ cast_columns() }}
    from (
{{ model_sql }}
    ) as model_rows
    on conflict ({{ key_columns | join(', ') }}) do
    {%- if others %} update set
        {% for column in others %}{{ column }} = excluded.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    where (kept.{{ others | join(', kept.') }}) is distinct from (excluded.{{ others | join(', excluded.') }})
    {%- else %} nothing
    {%- endif %};
    get diagnostics changed_rows = row_count;
    if changed_rows > 0 or {{ state_of("to_regclass('" ~ relation.render() ~ "')") }} is null then
        {{ execute_comment_with_state('table', relation, model.description, state_sql('', '', 'select count(*) from ' ~ relation)) }}
        analyze {{ relation }};
    end if;
end
$merge$;
{% endmacro %}
