{# SQL: the additive columns of `stock_by_day` in `relation`, added up over days. #}
{% macro scorecard_stock_sums(relation) -%}
    {%- for flow in [
        'entradas', 'salidas', 'merma', 'merma_costo', 'castigo_costo', 'salidas_observadas',
        'dias_equivalentes_sin_stock', 'unidades_perdidas',
        'ventas_perdidas',
    ] -%}
        sum({{ relation }}.{{ flow }}) as {{ flow }},
        {% endfor -%}
    {%- for days in ['dias_observados', 'dias_cierre_sin_stock', 'dias_completos_sin_stock'] -%}
        sum({{ relation }}.{{ days }})::bigint as {{ days }}{{ ',' if not loop.last }}
        {% endfor -%}
{%- endmacro %}
