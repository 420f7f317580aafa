{#
    SQL (scalar, type date) of the cut-off date: the var `fecha_corte`, else the last day with sales. Windows hang on it
    and not on CURRENT_DATE, so that the same data give the same results tomorrow.
#}
{% macro fecha_corte() %}
    {%- if var('fecha_corte') -%}
        {{- return("date '" ~ var('fecha_corte') ~ "'") -}}
    {%- endif -%}
    {{- return('(select max(fecha) from ' ~ ref('agg_ventas_dia_tienda_canal') ~ ')') -}}
{% endmacro %}
