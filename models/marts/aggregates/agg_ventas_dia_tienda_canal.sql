{{ config(
    partition_by={'fields': ['fecha'], 'granularity': 'month'},
    ignores_changes_of=['dim_producto'],
) }}

-- Grain: one row per day, store and channel with sales or returns. Returns count on the day they
-- come back.
-- Additive over all three: a ticket belongs to one store, day and channel, so numero_tickets adds
-- up too.

with

ventas as (

    select * from {{ ref('fact_ventas') }}
    where {{ pg_lifecycle.partition_filter('fecha_venta') }}

),

devoluciones as (

    select * from {{ ref('fact_devoluciones') }}
    where {{ pg_lifecycle.partition_filter('fecha_devolucion') }}

),

productos as (
    {{ product_taxes() }}
),

vendido as (

    select
        ventas.fecha_venta as fecha,
        ventas.tienda_id,
        ventas.canal,
        count(distinct ventas.ticket_id) as numero_tickets,
        {{ sale_sums() }}
    from ventas
    inner join productos on ventas.producto_id = productos.producto_id
    group by ventas.fecha_venta, ventas.tienda_id, ventas.canal

),

devuelto as (

    select
        devoluciones.fecha_devolucion as fecha,
        devoluciones.tienda_id,
        devoluciones.canal,
        {{ return_sums() }}
    from devoluciones
    inner join productos on devoluciones.producto_id = productos.producto_id
    group by devoluciones.fecha_devolucion, devoluciones.tienda_id, devoluciones.canal

),

final as (

    select
        coalesce(vendido.fecha, devuelto.fecha) as fecha,
        coalesce(vendido.tienda_id, devuelto.tienda_id) as tienda_id,
        coalesce(vendido.canal, devuelto.canal) as canal,
        coalesce(vendido.numero_tickets, 0) as numero_tickets,
        {{ net_measures() }}
    from vendido
    full join devuelto on
        vendido.fecha = devuelto.fecha
        and vendido.tienda_id = devuelto.tienda_id
        and vendido.canal = devuelto.canal

)

select * from final
