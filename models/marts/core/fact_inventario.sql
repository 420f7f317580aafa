{{ config(
    materialized='partitioned',
    partition_by={'fields': ['fecha'], 'granularity': 'month'},
) }}

-- Grain: one row per store, product and snapshot date; the flows are those of the dias_periodo days that end on it.
-- Semi-additive: stock_final and valor_inventario add up over stores and products, never over dates.
-- Additive: entradas, salidas, merma.

with

inventario as (

    select * from {{ ref('stg_inventario') }} where {{ partition_filter('fecha') }}

),

productos as (

    select * from {{ ref('stg_productos') }}

),

tiendas as (

    select * from {{ ref('stg_tiendas') }}

),

final as (

    select
        inventario.fecha,
        inventario.tienda_id,
        inventario.producto_id,
        inventario.dias_periodo,
        inventario.stock_inicial,
        inventario.entradas,
        inventario.salidas,
        inventario.merma,
        inventario.stock_final,
        inventario.costo_unitario,
        inventario.valor_inventario
    from inventario
    inner join productos on inventario.producto_id = productos.producto_id
    inner join tiendas on inventario.tienda_id = tiendas.tienda_id

)

select * from final
