{# SQL: the same measures of `relation`, zero where it has no row. #}
{% macro measures_or_zero(relation) -%}
        coalesce({{ relation }}.numero_tickets, 0) as numero_tickets,
        coalesce({{ relation }}.lineas, 0) as lineas,
        coalesce({{ relation }}.articulos, 0) as articulos,
        {%- for measure in additive_amounts() %}
        coalesce({{ relation }}.{{ measure }}, 0) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}
