{{ config(
    materialized='partitioned',
    distributed_by='tienda_id',
    partition_by={'fields': ['fecha'], 'granularity': 'month'},
    partition_window=[var('calendar_from'), var('calendar_to')],
    also_rebuild='stock_to_judge_again',
    ignores_changes_of=['dim_producto', 'dim_tienda'],
) }}

-- Grain: one row per store, product and snapshot date; the flows are those of the dias_periodo days
-- that end on it.
-- Only rows that break no rule: the others are in cuarentena.inventario.
-- Semi-additive: stock_final and valor_inventario add up over stores and products, never over
-- dates.
-- Additive: entradas (of suppliers and reingresos), reingresos, salidas, merma.

with

inventario as (

    select * from {{ ref('int_inventario_evaluado') }}

),

final as (

    select
        fecha,
        tienda_id,
        producto_id,
        dias_periodo,
        stock_inicial,
        entradas,
        reingresos,
        salidas,
        merma,
        stock_final,
        costo_unitario,
        valor_inventario
    from inventario
    where not es_rechazada

)

select * from final
