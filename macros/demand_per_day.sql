{# SQL: units sold per day with stock of a row of `relation` with the parts of `pair_demand`, unrounded. #}
{% macro demand_per_day(relation) -%}
    ({{ relation }}.unidades_con_stock / {{ relation }}.dias_con_stock)
{%- endmacro %}
