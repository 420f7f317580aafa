-- Is each region growing: sales by month, against the comparable days a year earlier?
-- Days are compared with the same weekday 364 days before, so a month with one more Saturday gains
-- nothing. Reads retail.agg_ventas_dia_tienda. One row per month and region.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

por_dia as (

    select
        ventas.fecha,
        tiendas.region,
        sum(ventas.total_ventas) as total_ventas
    from {{ ref('agg_ventas_dia_tienda') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha > (select ultimo_dia.fecha from ultimo_dia) - 2 * 364
        and ventas.fecha <= (select ultimo_dia.fecha from ultimo_dia)
    group by ventas.fecha, tiendas.region

)

select
    date_trunc('month', hoy.fecha)::date as mes,
    hoy.region,
    sum(hoy.total_ventas) as total_ventas,
    sum(antes.total_ventas) as ventas_comparables,
    round(100 * (sum(hoy.total_ventas) / sum(antes.total_ventas) - 1), 1) as crecimiento_pct
from por_dia as hoy
inner join por_dia as antes
    on
        hoy.fecha - 364 = antes.fecha
        and hoy.region = antes.region
group by mes, hoy.region
order by mes, hoy.region
