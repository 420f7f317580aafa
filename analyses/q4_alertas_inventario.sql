-- Operations: which products of the chain Supermercado are out of stock or will be soon?
-- Answered by retail.mv_inventory_alerts (grain: store and product).

select
    tiendas.nombre_tienda,
    productos.nombre_producto,
    alertas.stock_actual,
    alertas.venta_diaria_promedio,
    alertas.dias_inventario,
    alertas.alerta_inventario
from {{ ref('mv_inventory_alerts') }} as alertas
inner join {{ ref('dim_tienda') }} as tiendas on alertas.tienda_id = tiendas.tienda_id
inner join {{ ref('dim_producto') }} as productos on alertas.producto_id = productos.producto_id
where
    tiendas.cadena = 'Supermercado'
    and alertas.alerta_inventario in ('SIN_STOCK', 'STOCK_BAJO')
order by
    alertas.venta_diaria_promedio desc,
    alertas.tienda_id,
    alertas.producto_id
limit 20
