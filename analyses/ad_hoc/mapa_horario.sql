-- When do customers come: tickets by format, weekday and hour in stores over the last 13 weeks?
-- Reads retail.fact_ventas, its last quarter of a year. One row per format, weekday and hour.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

)

select
    tiendas.formato,
    extract(isodow from ventas.fecha_venta)::smallint as dia_semana,
    extract(hour from ventas.hora)::smallint as hora_del_dia,
    count(distinct ventas.ticket_id) as numero_tickets,
    round(sum(ventas.total_linea) / count(distinct ventas.ticket_id), 2) as ticket_promedio
from {{ ref('fact_ventas') }} as ventas
inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
where
    ventas.fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 91
    and ventas.fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)
    and ventas.canal = 'tienda'
group by tiendas.formato, dia_semana, hora_del_dia
order by tiendas.formato, dia_semana, hora_del_dia
