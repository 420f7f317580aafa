{{ config(
    materialized='partitioned',
    distributed_by='pedido_id',
    partition_by={'fields': ['fecha_pedido'], 'granularity': 'month'},
    partition_window=[var('calendar_from'), var('calendar_to')],
    also_rebuild='orders_to_judge_again',
    ignores_changes_of=['dim_producto', 'dim_tienda'],
) }}

-- Grain: one row per product of an order to a supplier.
-- Only lines that break no rule: the others are in cuarentena.pedidos.
-- An open line has no fecha_entrega and nothing received; it is delivered again when it has come.
-- Additive: unidades_pedidas, unidades_recibidas.

with

pedidos as (

    select * from {{ ref('int_pedidos_evaluados') }}

),

final as (

    select
        pedido_id,
        tienda_id,
        producto_id,
        proveedor,
        fecha_pedido,
        fecha_promesa,
        fecha_entrega,
        unidades_pedidas,
        unidades_recibidas
    from pedidos
    where not es_rechazada

)

select * from final
