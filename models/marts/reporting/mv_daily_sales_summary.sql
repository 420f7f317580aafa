{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['fecha', 'cadena'], 'unique': true}],
) }}

-- Grain: one row per day and chain with sales.
-- Additive: total_ventas, numero_tickets, unidades. Not additive: ticket_promedio, the comparisons.

with

ventas as (

    select * from {{ ref('agg_ventas_dia_tienda_canal') }}

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

por_dia as (

    select
        ventas.fecha,
        tiendas.cadena,
        sum(ventas.total_ventas) as total_ventas,
        sum(ventas.numero_tickets)::integer as numero_tickets,
        sum(ventas.unidades) as unidades
    from ventas
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id
    group by ventas.fecha, tiendas.cadena

),

-- The day before, not the row before: a chain that was closed has no row.
comparadas as (

    select
        *,
        case when lag(fecha) over cadena = fecha - 1 then lag(total_ventas) over cadena end as ventas_dia_anterior
    from por_dia
    window cadena as (partition by cadena order by fecha)

),

final as (

    select
        fecha,
        cadena,
        total_ventas,
        numero_tickets,
        round(total_ventas / numero_tickets, 2) as ticket_promedio,
        unidades,
        ventas_dia_anterior,
        round(100 * (total_ventas - ventas_dia_anterior) / nullif(ventas_dia_anterior, 0), 2) as cambio_pct
    from comparadas

)

select * from final
