{{ config(materialized='upsert') }}

-- Grain: one row per promotion: a price cut on one product in the stores of one format.
-- A promotion of a product that is not in the catalogue is left out until the product arrives.

with

promociones as (

    select * from {{ ref('stg_promociones') }}

),

productos as (

    select * from {{ ref('dim_producto') }}

),

final as (

    select
        promociones.promocion_id,
        promociones.producto_id,
        promociones.formato,
        promociones.fecha_inicio,
        promociones.fecha_fin,
        promociones.descuento_pct
    from promociones
    inner join productos on promociones.producto_id = productos.producto_id

)

select * from final
