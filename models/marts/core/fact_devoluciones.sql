{{ config(
    materialized='partitioned',
    distributed_by='ticket_id',
    partition_by={'fields': ['fecha_devolucion'], 'granularity': 'month'},
    partition_window=[var('calendar_from'), var('calendar_to')],
    also_rebuild='returns_to_judge_again',
) }}
-- depends_on: {{ ref('fact_ventas') }}

-- Grain: one row per return of goods of one sale line. Only returns that break no rule: the others
-- are in
-- cuarentena.devoluciones. Goods with reingresa went back to the shelf on that day: they are among
-- the reingresos of fact_inventario.
-- Additive: unidades, importe. Net sales after returns are sum(fact_ventas.total_linea) -
-- sum(importe).

with

devoluciones as (

    select * from {{ ref('int_devoluciones_evaluadas') }}

),

final as (

    select
        devolucion_id,
        ticket_id,
        linea,
        fecha_venta,
        fecha_devolucion,
        tienda_id,
        producto_id,
        canal,
        unidades,
        importe,
        descuento_pct,
        costo_unitario,
        motivo,
        reingresa
    from devoluciones
    where not es_rechazada

)

select * from final
