-- How did one product sell in one store, week by week over the last year? Here the largest store
-- and the first product; put ids in their place. The last 52 whole weeks (Monday to Sunday) up to
-- the cut-off date, since both are there; a week without sales is zero. Reads retail.fact_ventas
-- and, for the first day, retail.agg_ventas_dia_tienda. One row per week.

with

tienda as (

    select
        tienda_id,
        fecha_apertura
    from {{ ref('dim_tienda') }}
    where activo
    order by superficie_m2 desc, tienda_id
    limit 1

),

producto as (

    select
        producto_id,
        fecha_lanzamiento
    from {{ ref('dim_producto') }}
    where activo
    order by producto_id
    limit 1

),

limites as (
    {{ whole_periods('week') }}
),

semanas as (

    select calendario.fecha as semana
    from {{ ref('dim_calendario') }} as calendario
    cross join limites
    cross join tienda
    cross join producto
    where
        calendario.dia_semana = 1
        and calendario.fecha >= limites.desde
        and calendario.fecha >= limites.hasta - 52 * 7
        and calendario.fecha < limites.hasta
        and calendario.fecha >= tienda.fecha_apertura
        and calendario.fecha >= producto.fecha_lanzamiento

),

vendido as (

    select
        date_trunc('week', fecha_venta)::date as semana,
        sum(unidades) as unidades,
        sum(total_linea) as total_ventas
    from {{ ref('fact_ventas') }}
    where
        tienda_id = (select tienda.tienda_id from tienda)
        and producto_id = (select producto.producto_id from producto)
        and fecha_venta >= (select limites.hasta - 52 * 7 from limites)
        and fecha_venta < (select limites.hasta from limites)
    group by date_trunc('week', fecha_venta)

)

select
    semanas.semana,
    coalesce(vendido.unidades, 0) as unidades,
    coalesce(vendido.total_ventas, 0) as total_ventas,
    round(vendido.total_ventas / nullif(vendido.unidades, 0), 2) as precio_promedio
from semanas
left join vendido on semanas.semana = vendido.semana
order by semanas.semana
