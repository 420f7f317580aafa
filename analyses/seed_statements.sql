-- Obtener KPIs de ventas para la última semana para la cadena 'HyperMarket'
SELECT
    fecha,
    cadena,
    total_ventas,
    numero_tickets,
    ticket_promedio
FROM retail.mv_daily_sales_summary
WHERE
    fecha >= CURRENT_DATE - INTERVAL '7 days' AND
    cadena = 'HyperMarket'
ORDER BY fecha DESC;

-- Encontrar los 5 productos de 'Electrónica' más vendidos en la región 'Norte' durante el último mes
SELECT
    p.nombre_producto,
    p.marca,
    perf.total_unidades_vendidas,
    perf.total_ingresos
FROM retail.mv_product_performance perf
JOIN retail.productos p ON perf.producto_id = p.producto_id
WHERE
    perf.region = 'Norte' AND
    p.categoria = 'Electrónica' AND
    perf.ranking_categoria_region <= 5
ORDER BY perf.total_ingresos DESC;

-- Calcular el ticket promedio y el número de artículos por ticket para cada formato de tienda
SELECT
    t.formato,
    AVG(v.total_linea) AS ingreso_promedio_por_linea,
    SUM(v.total_linea) / COUNT(DISTINCT v.ticket_id) AS ticket_promedio,
    SUM(v.unidades) / COUNT(DISTINCT v.ticket_id) AS articulos_por_ticket
FROM retail.ventas v
JOIN retail.tiendas t ON v.tienda_id = t.tienda_id
WHERE v.fecha_venta BETWEEN '2025-01-01' AND '2025-03-31'
GROUP BY t.formato
ORDER BY ticket_promedio DESC;

-- Identificar todos los productos en la cadena 'Supermercado' con alerta de 'STOCK_BAJO' o 'SIN_STOCK'
SELECT
    t.nombre_tienda,
    p.nombre_producto,
    inv.stock_actual,
    inv.alerta_inventario
FROM retail.mv_inventory_alerts inv
JOIN retail.tiendas t ON inv.tienda_id = t.tienda_id
JOIN retail.productos p ON inv.producto_id = p.producto_id
WHERE
    t.cadena = 'Supermercado' AND
    inv.alerta_inventario IN ('SIN_STOCK', 'STOCK_BAJO');
