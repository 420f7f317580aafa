{{ config(materialized='upsert', reference=true) }}

-- Grain: one row per promotion: a price cut on one product in the stores of one format. The
-- last version that no rule refuses.

with

evaluadas as (

    select * from {{ ref('int_promociones_evaluadas') }}

),

vigentes as (

    select * from evaluadas where es_vigente

),

final as (

    select
        promocion_id,
        producto_id,
        formato,
        fecha_inicio,
        fecha_fin,
        descuento_pct
    from vigentes

)

select * from final
