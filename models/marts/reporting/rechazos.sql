{{ config(materialized='view') }}

-- Grain: one row per raw table, month and reason.
-- Not additive over reasons: a row can have several.
-- Runs with its owner's rights, so readers need none in schema cuarentena.

with

ventas as (

    select * from {{ ref('cuarentena_ventas') }}

),

devoluciones as (

    select * from {{ ref('cuarentena_devoluciones') }}

),

inventario as (

    select * from {{ ref('cuarentena_inventario') }}

),

motivos as (

    select * from {{ ref('motivos_rechazo') }}

),

rechazadas as (

    select
        'raw_ventas' as tabla,
        fecha_venta as fecha,
        unnest(motivos) as motivo
    from ventas
    union all
    select
        'raw_devoluciones' as tabla,
        fecha_devolucion as fecha,
        unnest(motivos) as motivo
    from devoluciones
    union all
    select
        'raw_inventario' as tabla,
        fecha,
        unnest(motivos) as motivo
    from inventario

),

final as (

    select
        rechazadas.tabla,
        date_trunc('month', rechazadas.fecha)::date as mes,
        rechazadas.motivo,
        motivos.descripcion,
        count(*) as filas
    from rechazadas
    left join motivos on rechazadas.motivo = motivos.motivo
    group by 1, 2, 3, 4

)

select * from final
