{{ config(partition_by={'fields': ['mes'], 'granularity': 'month'}) }}

-- Grain: one row per month, region, product and whether the price was cut (es_promocion), with
-- sales or returns. Returns count in the month they come back.
-- Additive over all four. Whole months of a long range of days are read here: a twentieth of the
-- rows of agg_ventas_dia_region_producto.

with

ventas as (

    select * from {{ ref('agg_ventas_dia_region_producto') }}
    where {{ pg_lifecycle.partition_filter('fecha') }}

),

final as (

    select
        date_trunc('month', fecha)::date as mes,
        region,
        producto_id,
        es_promocion,
        {{ sums_of_measures(tickets=false) }}
    from ventas
    group by 1, 2, 3, 4

)

select * from final
