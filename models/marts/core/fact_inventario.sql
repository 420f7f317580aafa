{{ config(
    materialized='partitioned',
    partition_by={'fields': ['fecha'], 'granularity': 'month'},
    partition_window=[var('calendario_desde'), var('calendario_hasta')],
    also_rebuild={
        'if_exists': 'cuarentena.inventario',
        'query': "
            select inventario.fecha as lower
            from cuarentena.inventario
            left join retail.dim_producto as productos on inventario.producto_id = productos.producto_id
            left join retail.dim_tienda as tiendas on inventario.tienda_id = tiendas.tienda_id
            where
                ('PRODUCTO_HUERFANO' = any(inventario.motivos) and productos.producto_id is not null)
                or ('TIENDA_HUERFANA' = any(inventario.motivos) and tiendas.tienda_id is not null)
        ",
    },
) }}

-- Grain: one row per store, product and snapshot date; the flows are those of the dias_periodo days
-- that end on it.
-- Only rows that break no rule: the others are in cuarentena.inventario.
-- Semi-additive: stock_final and valor_inventario add up over stores and products, never over
-- dates.
-- Additive: entradas, salidas, merma.

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
        salidas,
        merma,
        stock_final,
        costo_unitario,
        valor_inventario
    from inventario
    where not es_rechazada

)

select * from final
