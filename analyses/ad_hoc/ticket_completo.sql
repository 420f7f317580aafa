-- What was on one ticket? A customer stands at the desk with it; its date cannot be read.
-- Here the last ticket of the last day; put a number in its place. Reads retail.fact_ventas. One
-- row per line.

with

buscado as (

    select max(ticket_id) as ticket_id
    from {{ ref('fact_ventas') }}
    where
        fecha_venta = (
            select max(ventas_dia.fecha) from {{ ref('agg_ventas_dia_tienda') }} as ventas_dia
            where ventas_dia.lineas > 0
        )

)

select
    ventas.fecha_venta,
    ventas.hora,
    tiendas.nombre_tienda,
    ventas.linea,
    productos.nombre_producto,
    ventas.unidades,
    ventas.precio_unitario,
    ventas.descuento_pct,
    ventas.total_linea
from {{ ref('fact_ventas') }} as ventas
inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
where ventas.ticket_id = (select buscado.ticket_id from buscado)
order by ventas.linea
