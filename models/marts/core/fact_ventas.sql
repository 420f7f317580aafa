{{ config(
    materialized='partitioned',
    distributed_by='ticket_id',
    partition_by={'fields': ['fecha_venta'], 'granularity': 'month'},
    partition_window=[var('calendar_from'), var('calendar_to')],
    indexes=[{'columns': ['tienda_id', 'fecha_venta']}],
    publish_check='refused_share_reason',
    also_rebuild='sales_to_judge_again',
    ignores_changes_of=['dim_producto', 'dim_tienda'],
) }}
-- depends_on: {{ source('staging', 'versiones_mes') }}

-- Grain: one row per ticket line. Only lines that break no rule: the others are in
-- cuarentena.ventas.
-- Additive: unidades, total_linea. Not additive: distinct tickets over products (a ticket has
-- several), prices, percentages.

with

ventas as (

    select * from {{ ref('int_ventas_evaluadas') }}

),

final as (

    select
        ticket_id,
        linea,
        fecha_venta,
        hora,
        tienda_id,
        producto_id,
        canal,
        unidades,
        precio_unitario,
        descuento_pct,
        costo_unitario,
        total_linea
    from ventas
    where not es_rechazada

)

select * from final
