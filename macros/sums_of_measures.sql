{# SQL: the additive measures of an aggregate of sales added up. By product there are no tickets. #}
{% macro sums_of_measures(tickets=true) -%}
    {%- if tickets %}sum(numero_tickets)::bigint as numero_tickets,{% endif %}
        sum(lineas)::bigint as lineas,
        sum(articulos)::bigint as articulos,
        {%- for measure in additive_amounts() %}
        sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}
