-- Which alarms first: the ten of each state with the most money at risk, what is on order and when
-- does it come?
-- SIN_STOCK and STOCK_BAJO: margin lost until the next receipt; SOBRESTOCK: stock above the maximum
-- at cost. Estimates, from dias_con_stock days. Reads retail.mv_inventory_alerts. One row per store
-- and product.

select
    alertas.alerta_inventario,
    alertas.posicion,
    tiendas.nombre_tienda,
    productos.nombre_producto,
    alertas.stock_actual,
    alertas.en_camino,
    alertas.fecha_proxima_entrega,
    alertas.punto_reorden,
    alertas.existencia_maxima,
    alertas.dias_en_estado,
    alertas.dias_con_stock,
    alertas.dinero_en_riesgo
from {{ ref('mv_inventory_alerts') }} as alertas
inner join {{ ref('dim_tienda') }} as tiendas on alertas.tienda_id = tiendas.tienda_id
inner join {{ ref('dim_producto') }} as productos on alertas.producto_id = productos.producto_id
where alertas.posicion <= 10
order by
    array_position(array['SIN_STOCK', 'STOCK_BAJO', 'SOBRESTOCK'], alertas.alerta_inventario),
    alertas.posicion
