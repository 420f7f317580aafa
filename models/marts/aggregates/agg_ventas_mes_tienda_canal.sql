{{ config(partition_by={'fields': ['mes'], 'granularity': 'month'}) }}

-- Grain: one row per month, store and channel with sales or returns. Returns count in the month
-- they come back.
-- Additive over all three: a ticket belongs to one store, day and channel, so numero_tickets adds
-- up too. Whole months of a long range of days are read here.

with

ventas as (

    select * from {{ ref('agg_ventas_dia_tienda_canal') }}
    where {{ pg_lifecycle.partition_filter('fecha') }}

),

final as (

    select
        date_trunc('month', fecha)::date as mes,
        tienda_id,
        canal,
        {{ sums_of_measures() }}
    from ventas
    group by 1, 2, 3

)

select * from final
