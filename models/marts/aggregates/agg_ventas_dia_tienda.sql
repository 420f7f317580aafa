{{ config(partition_by={'fields': ['fecha'], 'granularity': 'month'}) }}

-- Grain: one row per day and store with sales.
-- Additive over both: a ticket belongs to one store and day, so numero_tickets adds up too.

with

ventas as (

    select * from {{ ref('agg_ventas_dia_tienda_canal') }}
    where {{ pg_lifecycle.partition_filter('fecha') }}

),

final as (

    select
        fecha,
        tienda_id,
        sum(lineas)::bigint as lineas,
        sum(numero_tickets)::bigint as numero_tickets,
        sum(unidades) as unidades,
        sum(total_ventas) as total_ventas,
        sum(costo_ventas) as costo_ventas
    from ventas
    group by fecha, tienda_id

)

select * from final
order by fecha, tienda_id
