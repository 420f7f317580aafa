{# A list with a sentence for how a table lies on the cluster, where its model wants it otherwise. #}
{% macro compare_placement(relation, placement) %}
    {%- if not pg_lifecycle.is_citus() -%}
        {{- return([]) -}}
    {%- endif -%}
    {%- set actual_query -%}
        select kind, column_name
        from ({{ pg_lifecycle._placements() }}) as placements
        where oid = {{ pg_lifecycle.oid_of(relation) }}
    {%- endset -%}
    {%- set found = run_query(actual_query) -%}
    {%- set actual = {'kind': found[0]['kind'], 'column': found[0]['column_name']} if found | length
        else {'kind': 'local', 'column': none} -%}
    {%- if actual == placement -%}
        {{- return([]) -}}
    {%- endif -%}
    {{- return([
        'on the cluster it is ' ~ pg_lifecycle._name_of_placement(actual) ~ ', the model wants it '
        ~ pg_lifecycle._name_of_placement(placement)
    ]) -}}
{% endmacro %}


{# SQL (oid, kind, column_name) of what is not local. #}
{% macro _placements() %}
    select
        logicalrelid::oid as oid,
        case partmethod when 'h' then 'distributed' when 'n' then 'reference' else partmethod::text end as kind,
        column_to_column_name(logicalrelid, partkey) as column_name
    from pg_catalog.pg_dist_partition
    where partmethod = 'h' or repmodel = 't'
{% endmacro %}


{% macro _name_of_placement(placement) %}
    {{- return({
        'distributed': 'distributed by ' ~ placement.column, 'reference': 'a reference table',
        'local': 'on the coordinator only',
    }[placement.kind]) -}}
{% endmacro %}
