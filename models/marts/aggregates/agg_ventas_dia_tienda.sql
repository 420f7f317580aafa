{{ config(
    partition_by={'fields': ['fecha'], 'granularity': 'month'},
    ignores_changes_of=['dim_tienda'],
    also_rebuild='store_days_to_complete',
) }}

-- Grain: one row per store and day on which it was open, from the first to the last day with sales
-- anywhere; a day without sales is a row of zeros. Days on which goods came back to a store that
-- was not open are rows too (not es_dia_abierto).
-- Additive over both: a ticket belongs to one store and day, so numero_tickets adds up too.

with

ventas as (

    select * from {{ ref('agg_ventas_dia_tienda_canal') }}
    where {{ pg_lifecycle.partition_filter('fecha') }}

),

dias_abiertos as (
    {{ store_days() }}
    where {{ pg_lifecycle.partition_filter('dias.fecha') }}
),

sumas as (

    select
        fecha,
        tienda_id,
        {{ sums_of_measures() }}
    from ventas
    group by fecha, tienda_id

),

final as (

    select
        coalesce(dias_abiertos.fecha, sumas.fecha) as fecha,
        coalesce(dias_abiertos.tienda_id, sumas.tienda_id) as tienda_id,
        dias_abiertos.fecha is not null as es_dia_abierto,
        coalesce(dias_abiertos.en_remodelacion, false) as en_remodelacion,
        {{ measures_or_zero('sumas') }}
    from dias_abiertos
    full join sumas on
        dias_abiertos.fecha = sumas.fecha
        and dias_abiertos.tienda_id = sumas.tienda_id

)

select * from final
order by fecha, tienda_id
