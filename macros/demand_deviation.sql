{#
    SQL: standard deviation of the units of a day with stock, of a row of `relation` with the parts of `pair_demand`,
    unrounded. Null where the squares are not known or there is one day only.
#}
{% macro demand_deviation(relation) -%}
    sqrt(
            (
                {{ relation }}.dias_con_stock * {{ relation }}.cuadrados_unidades
                - {{ relation }}.unidades_con_stock * {{ relation }}.unidades_con_stock
            )
            / nullif({{ relation }}.dias_con_stock * ({{ relation }}.dias_con_stock - 1), 0)
        )
{%- endmacro %}
