{{ config(alias='tiendas', materialized='upsert', delete_missing=true) }}

-- Grain: one row per refused row of the store catalogue as delivered.
-- A row leaves when a later version of its key is published, or when what it lacks arrives.

with

evaluadas as (

    select * from {{ ref('int_tiendas_evaluadas') }}

),

publicadas as (

    select * from {{ ref('dim_tienda') }}

),

final as (

    select
        evaluadas.tienda_id,
        evaluadas.codigo_tienda,
        evaluadas.nombre_tienda,
        evaluadas.cadena,
        evaluadas.formato,
        evaluadas.region,
        evaluadas.gerencia,
        evaluadas.ciudad,
        evaluadas.estado,
        evaluadas.superficie_m2,
        evaluadas.fecha_apertura,
        evaluadas.fecha_cierre,
        evaluadas.fecha_inicio_remodelacion,
        evaluadas.fecha_remodelacion,
        evaluadas.activo,
        evaluadas.carga_id,
        evaluadas.fila,
        case
            when evaluadas.es_vigente then array['CODIGO_DUPLICADO']
            else string_to_array(evaluadas.motivos, ',')
        end as motivos
    from evaluadas
    left join publicadas on evaluadas.tienda_id = publicadas.tienda_id
    where
        evaluadas.es_rechazada
        or (
            evaluadas.es_vigente
            and publicadas.codigo_tienda is distinct from evaluadas.codigo_tienda
        )

)

select * from final
