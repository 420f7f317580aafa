{{ config(partition_by={'fields': ['mes'], 'granularity': 'month'}) }}

-- Grain: one row per month, store and product with sales.
-- Additive over all three. Tickets are left out: a ticket has several products, so they would not
-- add up.

with

ventas as (

    select * from {{ ref('fact_ventas') }}
    where {{ pg_lifecycle.partition_filter('fecha_venta') }}

),

final as (

    select
        date_trunc('month', fecha_venta)::date as mes,
        tienda_id,
        producto_id,
        count(*) as lineas,
        sum(unidades) as unidades,
        sum(total_linea) as total_ventas,
        sum(round(unidades * costo_unitario, 2)) as costo_ventas
    from ventas
    group by 1, 2, 3

)

select * from final
