{{ config(alias='promociones', materialized='upsert', delete_missing=true) }}

-- Grain: one row per refused promotion as delivered.
-- A row leaves when a later version of its key is published, or when what it lacks arrives.

with

evaluadas as (

    select * from {{ ref('int_promociones_evaluadas') }}

),

final as (

    select
        evaluadas.promocion_id,
        evaluadas.producto_id,
        evaluadas.formato,
        evaluadas.fecha_inicio,
        evaluadas.fecha_fin,
        evaluadas.descuento_pct,
        evaluadas.carga_id,
        evaluadas.fila,
        string_to_array(evaluadas.motivos, ',') as motivos
    from evaluadas
    where evaluadas.es_rechazada

)

select * from final
