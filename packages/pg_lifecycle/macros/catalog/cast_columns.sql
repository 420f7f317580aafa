{# The contract's columns, each cast to its type: makes the select list of a build exactly the contract. #}
{% macro cast_columns() %}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- set name = adapter.quote(column.name) -%}
        {%- do columns.append('cast(' ~ name ~ ' as ' ~ column.data_type ~ ') as ' ~ name) -%}
    {%- endfor -%}
    {{- return(columns | join(', ')) -}}
{% endmacro %}
