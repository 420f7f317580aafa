{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[{'columns': ['fecha', 'cadena'], 'unique': true}],
) }}

-- Grain: one row per day and chain with sales, for the last `years_in_views` years.
-- Additive: total_ventas, numero_tickets, unidades. Not additive: ticket_promedio, the comparisons.

with

ventas as (

    select * from {{ ref('agg_ventas_dia_tienda') }}
    where fecha >= {{ first_date_in_views() }}

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

por_dia as (

    select
        ventas.fecha,
        tiendas.cadena,
        sum(ventas.total_ventas) as total_ventas,
        sum(ventas.numero_tickets)::bigint as numero_tickets,
        sum(ventas.unidades) as unidades
    from ventas
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id
    group by ventas.fecha, tiendas.cadena

),

-- The day before, not the row before: a chain that was closed has no row.
final as (

    select
        por_dia.fecha,
        por_dia.cadena,
        por_dia.total_ventas,
        por_dia.numero_tickets,
        round(por_dia.total_ventas / por_dia.numero_tickets, 2) as ticket_promedio,
        por_dia.unidades,
        dia_anterior.total_ventas as ventas_dia_anterior,
        round(
            100
            * (por_dia.total_ventas - dia_anterior.total_ventas)
            / nullif(dia_anterior.total_ventas, 0),
            2
        ) as cambio_pct
    from por_dia
    left join por_dia as dia_anterior on
        por_dia.fecha = dia_anterior.fecha + 1
        and por_dia.cadena = dia_anterior.cadena

)

select * from final
order by fecha, cadena
