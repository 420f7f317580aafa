{#
    The columns of a constraint as the database enforces it. A key of a distributed table is enforced worker by worker,
    so it holds the distribution column, as one of a partitioned table holds the partition column: it is added where the
    contract has none. What is unique without it is unique with it; the reverse is the business of a data test.
#}
{% macro key_columns(kind, columns, placement) %}
    {%- if kind in ('primary_key', 'unique') and placement.column and placement.column not in columns -%}
        {{- return(columns + [placement.column]) -}}
    {%- endif -%}
    {{- return(columns) -}}
{% endmacro %}
