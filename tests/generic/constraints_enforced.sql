{#
    PostgreSQL itself enforces the contract: every constraint and NOT NULL of the model's yml exists, validated, on the
    table and on each partition, and no partition stands outside. What the database enforces needs no scan to be tested:
    this reads the catalog only. Fails with a row per missing constraint and table.
#}
{% test constraints_enforced(model) %}

{%- set nodes = models_of(model) if execute else [] -%}
with

tables as (

    select to_regclass('{{ model.render() }}')::oid as oid
    union all
    select oid from ({{ partitions_of(model) }}) as partitions

),

wanted (kind, column_list) as (

    select null, null where false
    {%- for node in nodes %}
        {%- for column in node.columns.values() %}
            {%- for constraint in column.constraints %}
    union all select '{{ constraint.type.value or constraint.type }}', '{{ column.name }}'
            {%- endfor %}
        {%- endfor %}
        {%- for constraint in node.constraints %}
    union all select '{{ constraint.type.value or constraint.type }}', '{{ constraint.name if (constraint.type.value or constraint.type) == "check" else constraint.columns | join(",") }}'
        {%- endfor %}
    {%- endfor %}

),

held as (

    select
        tables.oid,
        case contype when 'p' then 'primary_key' when 'u' then 'unique' when 'f' then 'foreign_key' when 'c' then 'check' end as kind,
        case contype
            when 'c' then conname::text
            else (
                select string_agg(attname, ',' order by position)
                from unnest(conkey) with ordinality as key_column (attnum, position)
                inner join pg_catalog.pg_attribute on attrelid = conrelid and pg_attribute.attnum = key_column.attnum
            )
        end as column_list
    from pg_catalog.pg_constraint
    inner join tables on conrelid = tables.oid
    where convalidated
    union all
    select attrelid, 'not_null', attname::text
    from pg_catalog.pg_attribute
    inner join tables on attrelid = tables.oid
    where attnotnull

)

select tables.oid::regclass::text as table_name, wanted.kind, wanted.column_list
from tables
cross join wanted
left join held on
    tables.oid = held.oid
    and wanted.kind = held.kind
    and wanted.column_list = held.column_list
where held.oid is null

{% endtest %}
