{# SQL: the additive measures of an aggregate of sales added up. By product there are no tickets. #}
{% macro sums_of_measures(tickets=true) -%}
    {%- if tickets %}sum(numero_tickets)::bigint as numero_tickets,{% endif %}
        sum(lineas)::bigint as lineas,
        sum(articulos)::bigint as articulos,
        {%- for measure in _amounts() %}
        sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}


{# SQL: the same measures of `relation`, zero where it has no row. #}
{% macro measures_or_zero(relation) -%}
        coalesce({{ relation }}.numero_tickets, 0) as numero_tickets,
        coalesce({{ relation }}.lineas, 0) as lineas,
        coalesce({{ relation }}.articulos, 0) as articulos,
        {%- for measure in _amounts() %}
        coalesce({{ relation }}.{{ measure }}, 0) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}


{# Names of the measures that are not counts. #}
{% macro _amounts() %}
    {{- return([
        'unidades', 'venta_bruta', 'descuento', 'total_ventas', 'ventas_sin_iva', 'devoluciones', 'devoluciones_sin_iva',
        'ventas_netas', 'costo_ventas', 'margen',
    ]) -}}
{% endmacro %}
