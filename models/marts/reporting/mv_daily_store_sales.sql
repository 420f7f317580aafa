{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[{'columns': ['fecha', 'tienda_id'], 'unique': true}],
) }}

-- Grain: one row per day and store with sales, for the last `years_in_views` years.
-- Additive: total_ventas, numero_tickets, unidades. Not additive: ticket_promedio, the comparisons.
-- nombre_festivo tells readers why a day was unusual. It also spares a third of each refresh:
-- REFRESH CONCURRENTLY looks for duplicates among rows without a null only, and most days are no
-- holiday. The unique index looks at all rows. Ratios are cast to their type, which rounds them.

with

ventas as (

    select * from {{ ref('agg_ventas_dia_tienda') }}
    where fecha >= {{ first_date_in_views() }}

),

calendario as (

    select * from {{ ref('dim_calendario') }}

),

-- The day before, not the row before: a store that was closed has no row.
final as (

    select
        ventas.fecha,
        ventas.tienda_id,
        ventas.total_ventas,
        ventas.numero_tickets,
        cast(ventas.total_ventas / ventas.numero_tickets as numeric(14, 2)) as ticket_promedio,
        ventas.unidades,
        dia_anterior.total_ventas as ventas_dia_anterior,
        cast(
            100
            * (ventas.total_ventas - dia_anterior.total_ventas)
            / nullif(dia_anterior.total_ventas, 0) as numeric(12, 2)
        ) as cambio_pct,
        calendario.nombre_festivo
    from ventas
    left join ventas as dia_anterior
        on
            ventas.fecha = dia_anterior.fecha + 1
            and ventas.tienda_id = dia_anterior.tienda_id
    left join calendario on ventas.fecha = calendario.fecha

)

select * from final
