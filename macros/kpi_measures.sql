{# Names of the sums of mv_kpi_periodos: of the period and the one it compares with ('both'), or all of the period. #}
{% macro kpi_measures(which) %}
    {%- set both = ['dias_tienda', 'dias_obra', 'total_ventas', 'ventas_netas', 'margen', 'numero_tickets'] -%}
    {%- if which == 'both' -%}
        {{- return(both) -}}
    {%- endif -%}
    {{- return(both + [
        'lineas', 'articulos', 'unidades', 'ventas_evento', 'dias_mismas', 'ventas_mismas', 'ventas_mismas_anterior',
        'tickets_mismas', 'tickets_mismas_anterior',
    ]) -}}
{% endmacro %}
