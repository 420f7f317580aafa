{{ config(materialized='upsert', reference=true) }}

-- Grain: one row per store: the last version that no rule refuses.

with

evaluadas as (

    select * from {{ ref('int_tiendas_evaluadas') }}

),

vigentes as (

    select * from evaluadas where es_vigente

),

final as (

    select
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
    from vigentes
    where {{ code_is_free('dim_tienda', 'tienda_id', 'codigo_tienda') }}

)

select * from final
