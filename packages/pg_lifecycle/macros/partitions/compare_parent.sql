{#
    Compares the existing table with the model, by the catalog, and returns SQL that brings it up to date: the whole
    table when there is none, new nullable columns on every partition, indexes. A difference that cannot be applied
    safely stops the run and says what it is and what to do.
#}
{% macro compare_parent(relation, partitioning, constraints, indexes) %}
    {%- set key_query -%}
        select
            relkind::text as kind,
            (
                select json_agg(attname order by attnum)::text
                from pg_catalog.pg_partitioned_table
                inner join pg_catalog.pg_attribute on attrelid = partrelid and attnum = any(partattrs::smallint[])
                where partrelid = pg_class.oid
            ) as key_columns,
            pg_get_partkeydef(oid) as partition_key
        from pg_catalog.pg_class
        where oid = {{ pg_lifecycle.oid_of(relation) }}
    {%- endset -%}
    {%- set existing = run_query(key_query) -%}
    {%- if existing | length == 0 -%}
        {%- do pg_lifecycle.log_decision(relation, 'new partitioned table') -%}
        {{- return(pg_lifecycle.create_partitioned_parent(relation, partitioning, constraints, indexes)) -}}
    {%- endif -%}
    {%- if existing[0]['kind'] != 'p' -%}
        {%- do pg_lifecycle.refuse_kind(relation, existing[0]['kind'], 'partitioned table') -%}
    {%- endif -%}
    {%- set differences = [] -%}
    {%- set key = existing[0]['partition_key'] -%}
    {%- if not key.startswith('RANGE') or fromjson(existing[0]['key_columns'] or '[]') != [partitioning.column] -%}
        {%- do differences.append(
            'it is partitioned by ' ~ key ~ ', the model wants RANGE (' ~ partitioning.column ~ ')'
        ) -%}
    {%- endif -%}
    {%- set columns = pg_lifecycle.compare_columns(relation) -%}
    {%- do differences.extend(columns.differences) -%}
    {%- do differences.extend(pg_lifecycle.compare_constraints(relation, constraints)) -%}
    {%- do differences.extend(pg_lifecycle.compare_placement(relation, pg_lifecycle.placement_of(model))) -%}
    {%- do pg_lifecycle.refuse_differences(relation, differences) -%}
    {{- return((columns.statements + [pg_lifecycle.reconcile_indexes(relation, indexes)]) | join('\n') | trim) -}}
{% endmacro %}
