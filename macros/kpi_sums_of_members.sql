{# SQL: the same of a member of a dimension, from its stores. #}
{% macro kpi_sums_of_members() -%}
    {%- for name in kpi_measures('now') %}
        sum(por_periodo.{{ name }}) as {{ name }},
    {%- endfor %}
    {%- for name in kpi_measures('both') %}
        sum(por_periodo.{{ name }}_anterior) as {{ name }}_anterior,
    {%- endfor %}
        count(*) filter (where por_periodo.dias_mismas > 0) as tiendas_mismas
{%- endmacro %}
