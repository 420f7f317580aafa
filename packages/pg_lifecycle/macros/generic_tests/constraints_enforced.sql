{#
    What the database enforces needs no scan to be tested: this reads the catalog only. Fails with a row per constraint
    that is missing, and table.
#}
{% test constraints_enforced(model) %}

{%- set nodes = pg_lifecycle.models_of(model) if execute else [] -%}
with

tables as (

    select {{ pg_lifecycle.oid_of(model) }}::oid as oid
    union all
    select oid from ({{ pg_lifecycle.partitions_of(model) }}) as partitions

),

wanted (kind, held_by) as (

    select null, null where false
    {%- for node in nodes %}
        {%- for constraint in pg_lifecycle.contract_constraints(model.identifier, node) %}
    union all
    select '{{ constraint.kind }}', {{ pg_lifecycle.literal(
        constraint.name if constraint.kind == 'check' else constraint.columns | join(',')
    ) }}
        {%- endfor %}
    {%- endfor %}

),

held as (

    select
        tables.oid,
        case contype
            when 'p' then 'primary_key' when 'u' then 'unique' when 'f' then 'foreign_key' when 'c' then 'check'
        end as kind,
        case contype
            when 'c' then conname::text
            else (
                select string_agg(attname, ',' order by position)
                from unnest(conkey) with ordinality as key_column (attnum, position)
                inner join pg_catalog.pg_attribute on attrelid = conrelid and pg_attribute.attnum = key_column.attnum
            )
        end as held_by
    from pg_catalog.pg_constraint
    inner join tables on conrelid = tables.oid
    where convalidated
    union all
    select attrelid, 'not_null', attname::text
    from pg_catalog.pg_attribute
    inner join tables on attrelid = tables.oid
    where attnotnull

)

select tables.oid::regclass::text as table_name, wanted.kind, wanted.held_by
from tables
cross join wanted
left join held on
    tables.oid = held.oid
    and wanted.kind = held.kind
    and wanted.held_by = held.held_by
where held.oid is null

{% endtest %}
