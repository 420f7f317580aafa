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
    {%- do pg_lifecycle.require_contract() -%}
    {%- set indexes = pg_lifecycle.parse_indexes(config.get('indexes')) -%}
    {%- set constraints = pg_lifecycle.contract_constraints(relation.identifier) -%}
    {%- set keys = constraints | selectattr('kind', 'equalto', 'primary_key') | list -%}
    {%- if not keys -%}
        {%- do pg_lifecycle.refuse(
            'contract', 'no primary key', 'a contract with a primary key, to merge the rows by'
        ) -%}
    {%- endif -%}
    {%- do pg_lifecycle.begin_model(relation, sql) -%}

    {%- set existing_kind = pg_lifecycle.kind_of(relation) -%}
    {%- if existing_kind is none -%}
        {%- do pg_lifecycle.log_decision(relation, 'new table') -%}
        {%- set ddl = pg_lifecycle._create_table(relation, constraints, indexes) -%}
    {%- elif existing_kind != 'r' -%}
        {%- do pg_lifecycle.refuse_kind(relation, existing_kind, 'plain table') -%}
    {%- else -%}
        {%- set columns = pg_lifecycle.compare_columns(relation) -%}
        {%- do pg_lifecycle.refuse_differences(
            relation, columns.differences + pg_lifecycle.compare_constraints(relation, constraints)
        ) -%}
        {%- set ddl = columns.statements | join('\n') ~ pg_lifecycle.reconcile_indexes(relation, indexes) -%}
    {%- endif -%}

    {%- do pg_lifecycle.finish_model(
        relation, 'table', ddl ~ pg_lifecycle._merge_rows(relation, keys[0].columns, sql)
    ) -%}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}


{# SQL that creates an empty table with the constraints of the contract and the indexes of the model. #}
{% macro _create_table(relation, constraints, indexes) %}
create table {{ relation }} ({{ pg_lifecycle.typed_columns() }});
{{ pg_lifecycle.add_constraints(relation, constraints, ['not_null', 'check', 'primary_key', 'unique', 'foreign_key']) }}
{%- for index in indexes %}
{{ pg_lifecycle.create_index(relation, index) }}
{%- endfor %}
{% endmacro %}


{# SQL that merges the rows of a query into a table by key, and gives the table a new version if a row changed. #}
{% macro _merge_rows(relation, key_columns, model_sql) %}
{%- set columns = model.columns.keys() | map('string') | list -%}
{%- set others = columns | reject('in', key_columns) | list -%}
do $merge$
#variable_conflict use_column
declare
    changed_rows bigint;
begin
    insert into {{ relation }} as kept ({{ pg_lifecycle.quote_columns(columns) }})
    select {{ pg_lifecycle.cast_columns() }}
    from (
{{ model_sql }}
    ) as model_rows
    on conflict ({{ pg_lifecycle.quote_columns(key_columns) }}) do
    {%- if others %} update set
        {% for column in others -%}
        {{ adapter.quote(column) }} = excluded.{{ adapter.quote(column) }}{{ ', ' if not loop.last }}
        {%- endfor %}
    where
        ({{ pg_lifecycle.quote_columns(others, 'kept.') }})
        is distinct from ({{ pg_lifecycle.quote_columns(others, 'excluded.') }})
    {%- else %} nothing
    {%- endif %};
    get diagnostics changed_rows = row_count;
    if changed_rows > 0 or {{ pg_lifecycle.state_of(pg_lifecycle.oid_of(relation)) }} is null then
        {{ pg_lifecycle.execute_comment_with_state(
            'table', relation, model.description, pg_lifecycle.state_sql('', '', 'select count(*) from ' ~ relation)
        ) }}
        analyze {{ relation }};
    end if;
end
$merge$;
{% endmacro %}
