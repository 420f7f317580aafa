-- Grain: one row per daily run, as it noted itself.

with

corridas as (

    select * from {{ source('staging', 'corridas') }}

),

final as (

    select
        corrida_id,
        iniciada_en,
        terminada_en,
        resultado,
        codigo_salida,
        archivos_cargados,
        archivos_fallidos,
        filas_entregadas,
        filas_aceptadas,
        filas_rechazadas,
        segundos_comparacion,
        segundos_carga,
        segundos_construccion,
        segundos_frescura,
        segundos_informe
    from corridas

)

select * from final
