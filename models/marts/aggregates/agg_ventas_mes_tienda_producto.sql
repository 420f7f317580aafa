{{ config(
    partition_by={'fields': ['mes'], 'granularity': 'month'},
    ignores_changes_of=['dim_producto'],
) }}

-- Grain: one row per month, store and product with sales or returns. Returns count in the month
-- they come back.
-- Additive over all three. Tickets are left out: a ticket has several products, so they would not
-- add up.

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
        date_trunc('month', ventas.fecha_venta)::date as mes,
        ventas.tienda_id,
        ventas.producto_id,
        {{ sale_sums() }}
    from ventas
    inner join productos on ventas.producto_id = productos.producto_id
    group by 1, 2, 3

),

devuelto as (

    select
        date_trunc('month', devoluciones.fecha_devolucion)::date as mes,
        devoluciones.tienda_id,
        devoluciones.producto_id,
        {{ return_sums() }}
    from devoluciones
    inner join productos on devoluciones.producto_id = productos.producto_id
    group by 1, 2, 3

),

final as (

    select
        coalesce(vendido.mes, devuelto.mes) as mes,
        coalesce(vendido.tienda_id, devuelto.tienda_id) as tienda_id,
        coalesce(vendido.producto_id, devuelto.producto_id) as producto_id,
        {{ net_measures() }}
    from vendido
    full join devuelto on
        vendido.mes = devuelto.mes
        and vendido.tienda_id = devuelto.tienda_id
        and vendido.producto_id = devuelto.producto_id

)

select * from final
