-- Grain: one row per file delivered, as the load gate booked it.

with

cargas as (

    select * from {{ source('staging', 'cargas') }}

),

final as (

    select
        carga_id,
        tabla,
        archivo,
        estado,
        filas_entregadas,
        filas_aceptadas,
        filas_rechazadas,
        filas_sustituidas,
        fecha_min,
        fecha_max,
        terminada_en
    from cargas

)

select * from final
