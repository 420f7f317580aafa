{#
    Materialization `upsert`: a table merged in place by its primary key. Rows are inserted or, where a value differs,
    updated; none is deleted, because facts refer to them, unless `delete_missing` is set; the table is never dropped,
    not even by `--full-refresh` (every row is compared on every run, so there is nothing to rebuild).

    Config: indexes (see `parse_indexes`); delete_missing: whether rows go that the query no longer returns. The
    contract must have a primary key.
    INSERT ... ON CONFLICT rather than MERGE: it is safe against a concurrent insert. Locks rows, readers do not notice.
    Rows may exchange values of a unique key, of any kind and length of the cycle (see `_merge_rows`).
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
            + pg_lifecycle.compare_placement(relation, pg_lifecycle.placement_of(model))
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
{{ pg_lifecycle.lock_referenced(relation, constraints) }}
create table {{ relation }} ({{ pg_lifecycle.typed_columns() }});
{{ pg_lifecycle.complete_table(relation, constraints, indexes) }}
{% endmacro %}


{#
    SQL that merges the rows of a query into a table by key, and gives the table a new version if a row changed.

    PostgreSQL compares a unique index row by row, so two rows that exchange a code break it halfway. Only then, in the
    same transaction, the changed rows are deleted and inserted by one statement: it sees its own deletions, and a
    foreign key is looked at when it ends, when every row is there again. Works for any unique index, takes no lock
    that readers notice. What still breaks the key is a real duplicate, and the error says so. A foreign key that does
    more than to refuse (CASCADE, SET NULL) would act on the deletion, and is refused.

    Citus changes no table of the coordinator in one statement that reads a distributed or reference table: there the
    rows of the query are gathered first, in a table that goes with the transaction.
#}
{% macro _merge_rows(relation, key_columns, model_sql) %}
{%- set columns = model.columns.keys() | map('string') | list -%}
{%- set others = columns | reject('in', key_columns) | list -%}
{%- set delete_missing = config.get('delete_missing', false) -%}
{%- set keys -%}
    ({{ pg_lifecycle.quote_columns(key_columns, 'kept.') }}) = ({{ pg_lifecycle.quote_columns(key_columns, 'fresh.') }})
{%- endset -%}
{%- set values = pg_lifecycle.quote_columns(columns) -%}
{%- set query -%}
            select {{ pg_lifecycle.cast_columns() }}
            from (
{{ model_sql }}
            ) as model_rows
{%- endset -%}
{%- set gathered = pg_lifecycle.is_citus() and pg_lifecycle.placement_of(model).kind == 'local' -%}
{%- set fresh_rows -%}
        fresh as materialized (
            {{ 'select * from pg_temp.pg_lifecycle_fresh' if gathered else query }}
        ),
{%- endset -%}
{%- if gathered %}
create temporary table pg_lifecycle_fresh on commit drop as
{{ query }};
{%- endif %}
do $merge$
#variable_conflict use_column
declare
    changed_rows bigint;
begin
    begin
        with

        {{ fresh_rows }}

        gone as (
            delete from {{ relation }} as kept
            where {{ 'not exists (select from fresh where ' ~ keys ~ ')' if delete_missing else 'false' }}
            returning 1
        ),

        merged as (
            insert into {{ relation }} as kept ({{ values }})
            select {{ values }} from fresh
            on conflict ({{ pg_lifecycle.quote_columns(key_columns) }}) do
            {%- if others %} update set
                {% for column in others -%}
                {{ adapter.quote(column) }} = excluded.{{ adapter.quote(column) }}{{ ', ' if not loop.last }}
                {%- endfor %}
            where
                ({{ pg_lifecycle.quote_columns(others, 'kept.') }})
                is distinct from ({{ pg_lifecycle.quote_columns(others, 'excluded.') }})
            {%- else %} nothing
            {%- endif %}
            returning 1
        )

        select (select count(*) from gone) + (select count(*) from merged) into changed_rows;
    exception when unique_violation then
        if exists (
            select from pg_catalog.pg_constraint
            where contype = 'f' and confdeltype != 'a' and confrelid = {{ pg_lifecycle.oid_of(relation) }}
        ) then
            raise;
        end if;
        with

        {{ fresh_rows }}

        changed as materialized (
            select {{ values }} from fresh except select {{ values }} from {{ relation }}
        ),

        gone as (
            delete from {{ relation }} as kept
            where
                exists (select from changed as fresh where {{ keys }})
                {{ 'or not exists (select from fresh where ' ~ keys ~ ')' if delete_missing }}
            returning 1
        ),

        -- Counting what is gone makes it go first.
        merged as (
            insert into {{ relation }} ({{ values }})
            select {{ values }} from changed where (select count(*) from gone) >= 0
            returning 1
        )

        select (select count(*) from gone) + (select count(*) from merged) into changed_rows;
    end;
    if changed_rows > 0 or {{ pg_lifecycle.state_of(pg_lifecycle.oid_of(relation)) }} is null then
        {{ pg_lifecycle.execute_comment_with_state(
            'table', relation, model.description, pg_lifecycle.state_sql('', '', 'select count(*) from ' ~ relation)
        ) }}
        analyze {{ relation }};
    end if;
end
$merge$;
{% endmacro %}
