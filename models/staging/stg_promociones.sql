-- Grain: one row per promotion and version as delivered. `numero_version` numbers the rows in the
-- order of their deliveries.

with

entregas as (

    select * from {{ source('staging', 'raw_promociones') }}

),

cargas as (

    {{ delivery_order() }}

),

final as (

    select
        entregas.promocion_id,
        entregas.producto_id,
        entregas.formato,
        entregas.fecha_inicio,
        entregas.fecha_fin,
        entregas.descuento_pct,
        row_number() over (
            order by cargas.orden nulls last, entregas.carga_id, entregas.fila
        ) as numero_version,
        entregas.carga_id::bigint as carga_id,
        entregas.fila::bigint as fila
    from entregas
    left join cargas on entregas.carga_id = cargas.carga_id

)

select * from final
