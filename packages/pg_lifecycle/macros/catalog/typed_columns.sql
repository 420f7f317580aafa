{# The contract's columns with their types: `"a" integer, "b" numeric(12, 2)` for CREATE TABLE. #}
{% macro typed_columns() %}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- do columns.append(adapter.quote(column.name) ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {{- return(columns | join(', ')) -}}
{% endmacro %}
