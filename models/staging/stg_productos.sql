-- Grain: one row per product, as the last load delivered it.

with

raw_productos as (

    select * from {{ source('staging', 'raw_productos') }}

),

final as (

    select distinct on (producto_id)
        producto_id,
        sku,
        nombre_producto,
        marca,
        categoria,
        subcategoria,
        precio_lista,
        costo_unitario,
        iva_pct,
        -- No column says so; the presentation in the name does.
        nombre_producto ilike '% a granel' as es_a_granel,
        fecha_lanzamiento,
        fecha_retiro,
        activo
    from raw_productos
    order by producto_id, carga_id desc, fila

)

select * from final
