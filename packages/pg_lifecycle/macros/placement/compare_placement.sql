{# A list with a sentence for how a table lies on the cluster, where its model wants it otherwise. #}
{% macro compare_placement(relation, placement) %}
    {%- if not pg_lifecycle.is_citus() -%}
        {{- return([]) -}}
    {%- endif -%}
    {%- set actual_query -%}
        select kind, column_name
        from ({{ pg_lifecycle.placements() }}) as placements
        where oid = {{ pg_lifecycle.oid_of(relation) }}
    {%- endset -%}
    {%- set found = run_query(actual_query) -%}
    {%- set actual = {'kind': found[0]['kind'], 'column': found[0]['column_name']} if found | length
        else {'kind': 'local', 'column': none} -%}
    {%- if actual == placement -%}
        {{- return([]) -}}
    {%- endif -%}
    {{- return([
        'on the cluster it is ' ~ pg_lifecycle.name_of_placement(actual) ~ ', the model wants it '
        ~ pg_lifecycle.name_of_placement(placement)
    ]) -}}
{% endmacro %}
