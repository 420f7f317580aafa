{{ config(materialized='view') }}

-- Grain: one row per relation of this schema that dbt published.
-- Reads the catalog and one row of corte, no data: it costs a few milliseconds.

with

publicadas as (

    {{ pg_lifecycle.published_relations(this.schema) | indent(4) }}

),

corte as (

    select fecha_corte from {{ ref('corte') }}

),

final as (

    select
        publicadas.name as relacion,
        case publicadas.kind
            when 'v' then 'vista'
            when 'm' then 'vista materializada'
            else 'tabla'
        end as tipo,
        publicadas.published_at as publicada_en,
        publicadas.version,
        publicadas.sources as version_fuentes,
        publicadas.rows as filas,
        publicadas.is_building as en_construccion,
        publicadas.is_tested as probada,
        coalesce(publicadas.data_through::date, corte.fecha_corte) as datos_al
    from publicadas
    left join corte on true

)

select * from final
