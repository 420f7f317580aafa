{#
    SQL (scalar, type date) of the cut-off date: the var `fecha_corte`, else the last day with sales. Windows hang on it
    and not on CURRENT_DATE, so that the same data give the same results tomorrow.
#}
{% macro fecha_corte() %}
    {%- if var('fecha_corte') -%}
        {{- return("date '" ~ var('fecha_corte') ~ "'") -}}
    {%- endif -%}
    {{- return('(select max(fecha) from ' ~ ref('agg_ventas_dia_tienda') ~ ')') -}}
{% endmacro %}


{#
    SQL (scalar, type date) of the first day that the daily materialized views hold: `anos_en_vistas` years before the
    cut-off date. It bounds what a refresh costs however long the history grows; older days are in the aggregates.
#}
{% macro primera_fecha_en_vistas() %}
    {{- return("(" ~ fecha_corte() ~ " - interval '" ~ var('anos_en_vistas') ~ " years')::date + 1") -}}
{% endmacro %}
