{# SQL (boolean): whether a version of historia_producto or historia_tienda, under an alias, was in force on a day. #}
{% macro in_force_on(version, day) -%}
{{ version }}.valido_desde <= {{ day }} and coalesce({{ day }} < {{ version }}.valido_hasta, true)
{%- endmacro %}
