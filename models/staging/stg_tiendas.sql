-- Grain: one row per store and version as delivered. `numero_version` numbers the rows in the
-- order of their deliveries.

with

entregas as (

    select * from {{ source('staging', 'raw_tiendas') }}

),

cargas as (

    {{ delivery_order() }}

),

final as (

    select
        entregas.tienda_id,
        entregas.codigo_tienda,
        entregas.nombre_tienda,
        entregas.cadena,
        entregas.formato,
        entregas.region,
        entregas.gerencia,
        entregas.ciudad,
        entregas.estado,
        entregas.superficie_m2,
        entregas.fecha_apertura,
        entregas.fecha_cierre,
        entregas.fecha_inicio_remodelacion,
        entregas.fecha_remodelacion,
        entregas.activo,
        row_number() over (
            order by cargas.orden nulls last, entregas.carga_id, entregas.fila
        ) as numero_version,
        entregas.carga_id::bigint as carga_id,
        entregas.fila::bigint as fila
    from entregas
    left join cargas on entregas.carga_id = cargas.carga_id

)

select * from final
