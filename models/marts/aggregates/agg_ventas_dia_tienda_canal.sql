{{ config(partition_by={'fields': ['fecha'], 'granularity': 'month'}) }}

-- Grain: one row per day, store and channel with sales.
-- Additive over all three: a ticket belongs to one store, day and channel, so numero_tickets adds
-- up too.

with

ventas as (

    select * from {{ ref('fact_ventas') }}
    where {{ pg_lifecycle.partition_filter('fecha_venta') }}

),

final as (

    select
        fecha_venta as fecha,
        tienda_id,
        canal,
        count(*) as lineas,
        count(distinct ticket_id) as numero_tickets,
        sum(unidades) as unidades,
        sum(total_linea) as total_ventas,
        sum(round(unidades * costo_unitario, 2)) as costo_ventas
    from ventas
    group by fecha_venta, tienda_id, canal

)

select * from final
