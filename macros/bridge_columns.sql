{# SQL (query): the published columns of mv_puente_ventas; the difference of rounding is in the largest part (mayor). #}
{% macro bridge_columns(rounded) -%}
    select
        partes.periodo,
        partes.desde,
        periodos.hasta,
        periodos.anterior_desde,
        periodos.anterior_hasta,
        periodos.hasta < periodos.fin as es_parcial,
        partes.region,
        partes.categoria,
        partes.ventas_netas_anterior,
        partes.ventas_netas,
        partes.cambio,
        {%- for part in ['volumen', 'mezcla', 'precio', 'nuevos', 'descontinuados', 'devuelto'] %}
        partes.{{ part }} + case when partes.mayor = '{{ part }}' then partes.redondeo else 0 end as {{ part }},
        {%- endfor %}
        partes.redondeo,
        case when partes.redondeo != 0 then partes.mayor end as parte_redondeo,
        partes.productos,
        partes.productos_nuevos,
        partes.productos_descontinuados
    from {{ rounded }} as partes
    inner join periodos on partes.periodo = periodos.periodo and partes.desde = periodos.desde
{%- endmacro %}
