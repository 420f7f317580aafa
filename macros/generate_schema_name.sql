{# The name exactly as configured, after the var `schema_prefix`. #}
{% macro generate_schema_name(custom_schema_name, node) %}
    {%- set name = custom_schema_name if custom_schema_name else target.schema -%}
    {{- var('schema_prefix', '') ~ name | trim -}}
{% endmacro %}
