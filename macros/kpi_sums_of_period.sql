{# SQL: sums of mv_kpi_periodos of a period, from its stretches: now (es_actual) and a year earlier. #}
{% macro kpi_sums_of_period() -%}
    {%- for name in kpi_measures('now') %}
        coalesce(sum(por_tramo.{{ name }}) filter (where partes.es_actual), 0) as {{ name }},
    {%- endfor %}
    {%- for name in kpi_measures('both') %}
        coalesce(sum(por_tramo.{{ name }}) filter (where not partes.es_actual), 0) as {{ name }}_anterior
        {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
