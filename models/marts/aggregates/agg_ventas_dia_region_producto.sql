{{ config(
    partition_by={'fields': ['fecha'], 'granularity': 'month'},
    ignores_changes_of=['dim_producto', 'dim_tienda'],
) }}

-- Grain: one row per day, region, product and whether the price was cut (es_promocion), with sales
-- or returns. Returns count on the day they come back, with the promotion of their sale.
-- Additive over all four; any range of days of a product or category is a sum. Tickets are left
-- out: a ticket has several products, so they would not add up.

with

ventas as (

    select * from {{ ref('fact_ventas') }}
    where {{ pg_lifecycle.partition_filter('fecha_venta') }}

),

devoluciones as (

    select * from {{ ref('fact_devoluciones') }}
    where {{ pg_lifecycle.partition_filter('fecha_devolucion') }}

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

productos as (
    {{ product_taxes() }}
),

vendido as (

    select
        ventas.fecha_venta as fecha,
        tiendas.region,
        ventas.producto_id,
        ventas.descuento_pct > 0 as es_promocion,
        {{ sale_sums() }}
    from ventas
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id
    inner join productos on ventas.producto_id = productos.producto_id
    group by 1, 2, 3, 4

),

devuelto as (

    select
        devoluciones.fecha_devolucion as fecha,
        tiendas.region,
        devoluciones.producto_id,
        devoluciones.descuento_pct > 0 as es_promocion,
        {{ return_sums() }}
    from devoluciones
    inner join tiendas on devoluciones.tienda_id = tiendas.tienda_id
    inner join productos on devoluciones.producto_id = productos.producto_id
    group by 1, 2, 3, 4

),

final as (

    select
        coalesce(vendido.fecha, devuelto.fecha) as fecha,
        coalesce(vendido.region, devuelto.region) as region,
        coalesce(vendido.producto_id, devuelto.producto_id) as producto_id,
        coalesce(vendido.es_promocion, devuelto.es_promocion) as es_promocion,
        {{ net_measures() }}
    from vendido
    full join devuelto on
        vendido.fecha = devuelto.fecha
        and vendido.region = devuelto.region
        and vendido.producto_id = devuelto.producto_id
        and vendido.es_promocion = devuelto.es_promocion

)

select * from final
