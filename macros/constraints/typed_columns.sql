{# The contract's columns with their types: `a integer, b numeric(12, 2)` for CREATE TABLE. #}
{% macro typed_columns() %}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- do columns.append(adapter.quote(column.name) ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {{- return(columns | join(', ')) -}}
{% endmacro %}


{# The contract's columns, each cast to its type: makes the select list of a build exactly the contract. #}
{% macro cast_columns() %}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- do columns.append('cast(' ~ adapter.quote(column.name) ~ ' as ' ~ column.data_type ~ ') as ' ~ adapter.quote(column.name)) -%}
    {%- endfor -%}
    {{- return(columns | join(', ')) -}}
{% endmacro %}
