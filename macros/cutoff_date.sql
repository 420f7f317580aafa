{# SQL (scalar, type date) of the cut-off date: the var `cutoff_date`, else the last day with sales. #}
{% macro cutoff_date() %}
    {%- if var('cutoff_date') -%}
        {{- return("date '" ~ var('cutoff_date') ~ "'") -}}
    {%- endif -%}
    {{- return('(select max(fecha) from ' ~ ref('agg_ventas_dia_tienda') ~ ' where lineas > 0)') -}}
{% endmacro %}
