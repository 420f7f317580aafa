{{ config(materialized='upsert', reference=true) }}

-- Grain: one row per product: the last version that no rule refuses.

with

evaluadas as (

    select * from {{ ref('int_productos_evaluados') }}

),

vigentes as (

    select * from evaluadas where es_vigente

),

final as (

    select
        producto_id,
        sku,
        nombre_producto,
        marca,
        categoria,
        subcategoria,
        precio_lista,
        costo_unitario,
        iva_pct,
        unidad_medida,
        piezas_por_caja,
        proveedor,
        fecha_lanzamiento,
        fecha_retiro,
        activo
    from vigentes
    where {{ code_is_free('dim_producto', 'producto_id', 'sku') }}

)

select * from final
