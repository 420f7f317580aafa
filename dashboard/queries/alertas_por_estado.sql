-- Products in stores by state, with the money that is at risk. Grain: state, category and chain.
select
    alertas.alerta_inventario,
    productos.categoria,
    tiendas.cadena,
    max(alertas.fecha) as fecha,
    min(alertas.fecha) as fecha_primera,
    count(*) as pares,
    count(*) filter (where alertas.en_camino > 0) as pares_en_camino,
    sum(alertas.dinero_en_riesgo) as dinero_en_riesgo,
    sum(alertas.venta_perdida_diaria) as venta_perdida_diaria,
    sum(round(greatest(alertas.stock_actual, 0) * productos.costo_unitario, 2)) as valor_costo
from {{ ref('mv_inventory_alerts') }} as alertas
inner join {{ ref('tiendas') }} as tiendas on alertas.tienda_id = tiendas.tienda_id
inner join {{ ref('productos') }} as productos on alertas.producto_id = productos.producto_id
where
    tiendas.cadena = any({{ param('cadena') }}::text[])
    and tiendas.region = any({{ param('region') }}::text[])
    and tiendas.formato = any({{ param('formato') }}::text[])
    and productos.categoria = any({{ param('categoria') }}::text[])
group by alertas.alerta_inventario, productos.categoria, tiendas.cadena
