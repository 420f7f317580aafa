{# SQL: change against a base, in percent, two decimals; null where the base is missing or zero. #}
{% macro growth_pct(now, before) -%}
    round(100 * ({{ now }} - {{ before }}) / nullif({{ before }}, 0), 2)
{%- endmacro %}
