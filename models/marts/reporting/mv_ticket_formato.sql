{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[{'columns': ['fecha', 'formato', 'canal'], 'unique': true}],
) }}

-- Grain: one row per day, store format and channel with sales, for the last `years_in_views` years.
-- Additive: every measure. A ratio over any range of dates is sum / sum: ticket = sum(total_ventas)
-- / sum(numero_tickets).

with

ventas as (

    select *
    from {{ ref('agg_ventas_dia_tienda_canal') }}
    where fecha >= {{ first_date_in_views() }} and lineas > 0

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

final as (

    select
        ventas.fecha,
        tiendas.formato,
        ventas.canal,
        sum(ventas.lineas)::bigint as lineas,
        sum(ventas.numero_tickets)::bigint as numero_tickets,
        sum(ventas.articulos)::bigint as articulos,
        sum(ventas.unidades) as unidades,
        sum(ventas.total_ventas) as total_ventas
    from ventas
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id
    group by ventas.fecha, tiendas.formato, ventas.canal

)

select * from final
order by fecha, formato, canal
