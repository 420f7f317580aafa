-- When do customers come: tickets by weekday and hour in stores over the last 13 weeks?
-- Reads retail.fact_ventas, its last quarter of a year. One row per weekday and hour.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

)

select
    extract(isodow from fecha_venta)::smallint as dia_semana,
    extract(hour from hora)::smallint as hora_del_dia,
    count(distinct ticket_id) as numero_tickets,
    round(sum(total_linea) / count(distinct ticket_id), 2) as ticket_promedio
from {{ ref('fact_ventas') }}
where
    fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 91
    and fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)
    and canal = 'tienda'
group by dia_semana, hora_del_dia
order by dia_semana, hora_del_dia
