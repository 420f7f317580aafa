{# also_rebuild of fact_devoluciones: the days of quarantined returns whose sale has arrived. #}
{% macro returns_to_judge_again(relation) %}
{%- set quarantine = pg_lifecycle.built_relation('cuarentena_devoluciones') -%}
{%- if quarantine %}
select devoluciones.fecha_devolucion as lower
from {{ quarantine }} as devoluciones
inner join {{ ref('fact_ventas') }} as ventas on
    devoluciones.ticket_id = ventas.ticket_id
    and devoluciones.linea = ventas.linea
    and devoluciones.fecha_venta = ventas.fecha_venta
where 'DEVOLUCION_SIN_VENTA' = any(devoluciones.motivos)
{%- endif %}
{% endmacro %}
