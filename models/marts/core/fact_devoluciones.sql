{{ config(
    materialized='partitioned',
    partition_by={'fields': ['fecha_devolucion'], 'granularity': 'month'},
    partition_window=[var('calendario_desde'), var('calendario_hasta')],
    also_rebuild={
        'if_exists': 'cuarentena.devoluciones',
        'query': "
            select devoluciones.fecha_devolucion as lower
            from cuarentena.devoluciones
            inner join retail.fact_ventas as ventas on
                devoluciones.ticket_id = ventas.ticket_id
                and devoluciones.linea = ventas.linea
                and devoluciones.fecha_venta = ventas.fecha_venta
            where 'DEVOLUCION_SIN_VENTA' = any(devoluciones.motivos)
        ",
    },
) }}

-- Grain: one row per return of goods of one sale line. Only returns that break no rule: the others
-- are in
-- cuarentena.devoluciones. Returned goods do not go back into stock.
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
        motivo
    from devoluciones
    where not es_rechazada

)

select * from final
