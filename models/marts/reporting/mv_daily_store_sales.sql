{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['fecha', 'tienda_id'], 'unique': true}],
) }}

-- Grain: one row per day and store with sales, for the last `anos_en_vistas` years.
-- Additive: total_ventas, numero_tickets, unidades. Not additive: ticket_promedio, the comparisons.
-- The order is that of the columns: REFRESH CONCURRENTLY sorts whole rows, and rows in order cost
-- it a third.

with

ventas as (

    select * from {{ ref('agg_ventas_dia_tienda') }}
    where fecha >= {{ primera_fecha_en_vistas() }}

),

-- The day before, not the row before: a store that was closed has no row.
final as (

    select
        ventas.fecha,
        ventas.tienda_id,
        ventas.total_ventas,
        ventas.numero_tickets,
        round(ventas.total_ventas / ventas.numero_tickets, 2) as ticket_promedio,
        ventas.unidades,
        dia_anterior.total_ventas as ventas_dia_anterior,
        round(
            100
            * (ventas.total_ventas - dia_anterior.total_ventas)
            / nullif(dia_anterior.total_ventas, 0),
            2
        ) as cambio_pct
    from ventas
    left join ventas as dia_anterior on
        ventas.fecha = dia_anterior.fecha + 1
        and ventas.tienda_id = dia_anterior.tienda_id

)

select * from final
order by fecha, tienda_id
