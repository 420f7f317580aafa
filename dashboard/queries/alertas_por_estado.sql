-- Products in stores by state, with what they cost a day or hold. Grain: state, category and chain.
select
    alertas.alerta_inventario,
    productos.categoria,
    tiendas.cadena,
    max(alertas.fecha) as fecha,
    count(*) as pares,
    sum(round(alertas.venta_diaria_promedio * productos.precio_lista / (1 + productos.iva_pct / 100), 2))
        as venta_diaria,
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
