-- How did each chain sell in the last four weeks, against the comparable day a year earlier?
-- Comparable: the same weekday, 364 days earlier. Reads retail.mv_daily_sales_summary. One row per
-- day and chain.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

)

select
    ventas.fecha,
    calendario.nombre_dia,
    ventas.cadena,
    ventas.total_ventas,
    comparables.total_ventas as ventas_comparables,
    round(
        100 * (ventas.total_ventas / nullif(comparables.total_ventas, 0) - 1), 1
    ) as crecimiento_pct
from {{ ref('mv_daily_sales_summary') }} as ventas
inner join {{ ref('dim_calendario') }} as calendario on ventas.fecha = calendario.fecha
left join {{ ref('mv_daily_sales_summary') }} as comparables
    on
        calendario.fecha_comparable = comparables.fecha
        and ventas.cadena = comparables.cadena
where
    ventas.fecha > (select ultimo_dia.fecha from ultimo_dia) - 28
    and ventas.fecha <= (select ultimo_dia.fecha from ultimo_dia)
order by ventas.fecha desc, ventas.cadena
