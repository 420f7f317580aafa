{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['fecha', 'tienda_id'], 'unique': true}],
) }}

-- Grain: one row per day and store with sales.
-- Additive: total_ventas, numero_tickets, unidades. Not additive: ticket_promedio, the comparisons.

with

ventas as (

    select * from {{ ref('agg_ventas_dia_tienda_canal') }}

),

por_dia as (

    select
        fecha,
        tienda_id,
        sum(total_ventas) as total_ventas,
        sum(numero_tickets)::integer as numero_tickets,
        sum(unidades) as unidades
    from ventas
    group by fecha, tienda_id

),

-- The day before, not the row before: a store that was closed has no row.
comparadas as (

    select
        *,
        case when lag(fecha) over tienda = fecha - 1 then lag(total_ventas) over tienda end as ventas_dia_anterior
    from por_dia
    window tienda as (partition by tienda_id order by fecha)

),

final as (

    select
        fecha,
        tienda_id,
        total_ventas,
        numero_tickets,
        round(total_ventas / numero_tickets, 2) as ticket_promedio,
        unidades,
        ventas_dia_anterior,
        round(100 * (total_ventas - ventas_dia_anterior) / nullif(ventas_dia_anterior, 0), 2) as cambio_pct
    from comparadas

)

select * from final
