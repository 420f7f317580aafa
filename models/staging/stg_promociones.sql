-- Grain: one row per promotion, as the last load delivered it.

with

raw_promociones as (

    select * from {{ source('staging', 'raw_promociones') }}

),

final as (

    select distinct on (promocion_id)
        promocion_id,
        producto_id,
        formato,
        fecha_inicio,
        fecha_fin,
        descuento_pct
    from raw_promociones
    order by promocion_id, carga_id desc, fila

)

select * from final
