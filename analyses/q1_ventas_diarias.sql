-- Executives: how did each chain sell in the week up to the last complete day, against the day
-- before?
-- Answered by retail.mv_daily_sales_summary (grain: day and chain).

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

)

select
    fecha,
    cadena,
    total_ventas,
    numero_tickets,
    ticket_promedio,
    ventas_dia_anterior,
    cambio_pct
from {{ ref('mv_daily_sales_summary') }}
where
    fecha > (select ultimo_dia.fecha from ultimo_dia) - 7
    and fecha <= (select ultimo_dia.fecha from ultimo_dia)
order by fecha desc, cadena
