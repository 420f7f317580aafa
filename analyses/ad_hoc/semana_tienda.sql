-- The store manager's weekly sheet: what did my store sell in the last seven days, by product?
-- Here the largest store; put an id in its place. Reads retail.fact_ventas. One row per product
-- sold.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

tienda as (

    select tienda_id from {{ ref('dim_tienda') }}
    where activo
    order by superficie_m2 desc, tienda_id
    limit 1

)

select
    productos.categoria,
    productos.nombre_producto,
    sum(ventas.unidades) as unidades,
    sum(ventas.total_linea) as total_ventas,
    count(distinct ventas.ticket_id) as numero_tickets
from {{ ref('fact_ventas') }} as ventas
inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
where
    ventas.tienda_id = (select tienda.tienda_id from tienda)
    and ventas.fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 7
    and ventas.fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)
group by productos.categoria, productos.nombre_producto
order by total_ventas desc, productos.nombre_producto
