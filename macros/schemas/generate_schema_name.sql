{#
    Names the schema of a model exactly as configured (`retail` is `retail` on every target), because the SQL of
    analysts and tools depends on the names. A developer's sandbox sets the var `schema_prefix`.
#}
{% macro generate_schema_name(custom_schema_name, node) %}
    {%- set name = custom_schema_name if custom_schema_name else target.schema -%}
    {{- var('schema_prefix', '') ~ name | trim -}}
{% endmacro %}
