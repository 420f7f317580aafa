-- Grain: one row per product and version as delivered. `numero_version` numbers the rows in the
-- order of their deliveries.

with

entregas as (

    select * from {{ source('staging', 'raw_productos') }}

),

cargas as (

    {{ delivery_order() }}

),

final as (

    select
        entregas.producto_id,
        entregas.sku,
        entregas.nombre_producto,
        entregas.marca,
        entregas.categoria,
        entregas.subcategoria,
        entregas.precio_lista,
        entregas.costo_unitario,
        entregas.iva_pct,
        entregas.unidad_medida,
        entregas.piezas_por_caja,
        entregas.proveedor,
        entregas.fecha_lanzamiento,
        entregas.fecha_retiro,
        entregas.activo,
        row_number() over (
            order by cargas.orden nulls last, entregas.carga_id, entregas.fila
        ) as numero_version,
        entregas.carga_id::bigint as carga_id,
        entregas.fila::bigint as fila
    from entregas
    left join cargas on entregas.carga_id = cargas.carga_id

)

select * from final
