-- Products in stores that are not in order, those that cost most first. Grain: store and product.
with

tiendas as (

    select
        tienda_id,
        nombre_tienda,
        cadena
    from {{ ref('tiendas') }}
    where
        cadena = any({{ param('cadena') }}::text[])
        and region = any({{ param('region') }}::text[])
        and formato = any({{ param('formato') }}::text[])
        and ({{ param('tienda') }}::integer is null or tienda_id = {{ param('tienda') }}::integer)

),

productos as (

    select * from {{ ref('productos') }}
    where categoria = any({{ param('categoria') }}::text[])

)

select
    alertas.tienda_id,
    tiendas.nombre_tienda,
    tiendas.cadena,
    alertas.producto_id,
    productos.nombre_producto,
    productos.categoria,
    alertas.alerta_inventario,
    alertas.fecha,
    alertas.stock_actual,
    alertas.demanda_diaria,
    alertas.dias_inventario,
    alertas.en_camino,
    alertas.fecha_proxima_entrega,
    alertas.dias_en_estado,
    alertas.venta_perdida_diaria,
    alertas.dinero_en_riesgo
from {{ ref('mv_inventory_alerts') }} as alertas
inner join tiendas on alertas.tienda_id = tiendas.tienda_id
inner join productos on alertas.producto_id = productos.producto_id
where alertas.alerta_inventario = any({{ param('alertas') }}::text[])
order by
    array_position({{ param('alertas') }}::text[], alertas.alerta_inventario),
    alertas.posicion,
    alertas.tienda_id,
    alertas.producto_id
limit {{ param('limite') }}::integer
