-- Grain: one row per store, as the last load delivered it.

with

raw_tiendas as (

    select * from {{ source('staging', 'raw_tiendas') }}

),

final as (

    select distinct on (tienda_id)
        tienda_id,
        codigo_tienda,
        nombre_tienda,
        cadena,
        formato,
        region,
        gerencia,
        ciudad,
        estado,
        superficie_m2,
        fecha_apertura,
        fecha_cierre,
        fecha_inicio_remodelacion,
        fecha_remodelacion,
        activo
    from raw_tiendas
    order by tienda_id, carga_id desc, fila

)

select * from final
