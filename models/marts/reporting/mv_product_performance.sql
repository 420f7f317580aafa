{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[{'columns': ['region', 'producto_id'], 'unique': true}],
) }}

-- Grain: one row per region and product sold in the 30 days up to the cut-off date.
-- Additive: total_unidades_vendidas, total_ingresos. Ties in the ranking go to the smaller
-- producto_id.
-- Reads the last 30 days of the fact itself: an aggregate by product and store would be nearly as
-- large as the fact.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

ventas as (

    select *
    from {{ ref('fact_ventas') }}
    where
        fecha_venta > (select corte.fecha_corte from corte) - 30
        and fecha_venta <= (select corte.fecha_corte from corte)

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

productos as (

    select * from {{ ref('dim_producto') }}

),

por_tienda as (

    select
        tienda_id,
        producto_id,
        sum(unidades) as unidades,
        sum(total_linea) as total_ventas
    from ventas
    group by tienda_id, producto_id

),

por_region as (

    select
        tiendas.region,
        por_tienda.producto_id,
        productos.categoria,
        sum(por_tienda.unidades) as total_unidades_vendidas,
        sum(por_tienda.total_ventas) as total_ingresos
    from por_tienda
    inner join tiendas on por_tienda.tienda_id = tiendas.tienda_id
    inner join productos on por_tienda.producto_id = productos.producto_id
    group by tiendas.region, por_tienda.producto_id, productos.categoria

),

final as (

    select
        region,
        producto_id,
        categoria,
        total_unidades_vendidas,
        total_ingresos,
        row_number() over (
            partition by region, categoria
            order by total_ingresos desc, producto_id
        ) as ranking_categoria_region
    from por_region

)

select * from final
order by region, producto_id
