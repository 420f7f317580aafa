{{ config(alias='productos', materialized='upsert', delete_missing=true) }}

-- Grain: one row per refused row of the product catalogue as delivered.
-- A row leaves when a later version of its key is published, or when what it lacks arrives.

with

evaluadas as (

    select * from {{ ref('int_productos_evaluados') }}

),

publicadas as (

    select * from {{ ref('dim_producto') }}

),

final as (

    select
        evaluadas.producto_id,
        evaluadas.sku,
        evaluadas.nombre_producto,
        evaluadas.marca,
        evaluadas.categoria,
        evaluadas.subcategoria,
        evaluadas.precio_lista,
        evaluadas.costo_unitario,
        evaluadas.iva_pct,
        evaluadas.unidad_medida,
        evaluadas.piezas_por_caja,
        evaluadas.proveedor,
        evaluadas.fecha_lanzamiento,
        evaluadas.fecha_retiro,
        evaluadas.activo,
        evaluadas.carga_id,
        evaluadas.fila,
        case
            when evaluadas.es_vigente then array['CODIGO_DUPLICADO']
            else string_to_array(evaluadas.motivos, ',')
        end as motivos
    from evaluadas
    left join publicadas on evaluadas.producto_id = publicadas.producto_id
    where
        evaluadas.es_rechazada
        or (evaluadas.es_vigente and publicadas.sku is distinct from evaluadas.sku)

)

select * from final
