-- How did one product sell in one store, week by week over the last year?
-- Here the largest store and the first product; put ids in their place. Reads retail.fact_ventas.
-- One row per week.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

tienda as (

    select tienda_id from {{ ref('dim_tienda') }}
    where activo
    order by superficie_m2 desc, tienda_id
    limit 1

),

producto as (

    select min(producto_id) as producto_id from {{ ref('dim_producto') }}
    where activo

)

select
    date_trunc('week', fecha_venta)::date as semana,
    sum(unidades) as unidades,
    sum(total_linea) as total_ventas,
    round(sum(total_linea) / sum(unidades), 2) as precio_promedio
from {{ ref('fact_ventas') }}
where
    tienda_id = (select tienda.tienda_id from tienda)
    and producto_id = (select producto.producto_id from producto)
    and fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 364
    and fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)
group by semana
order by semana
