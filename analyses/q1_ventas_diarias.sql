-- Executives: how did each chain sell in the last week with sales, against the day before?
-- Answered by retail.mv_daily_sales_summary (grain: day and chain).

with

ultimo_dia as (

    select max(fecha) as fecha from {{ ref('mv_daily_sales_summary') }}

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
where fecha > (select ultimo_dia.fecha from ultimo_dia) - 7
order by fecha desc, cadena
