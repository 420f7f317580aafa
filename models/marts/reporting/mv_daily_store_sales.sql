{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    on_dependants='rebuild',
    indexes=[{'columns': ['fecha', 'tienda_id'], 'unique': true}],
) }}

-- Grain: one row per store and day on which it was open, for the last `years_in_views` years; a day
-- without sales is zero.
-- Additive: sales, tickets, unidades. Not additive: ticket_promedio, cambio_pct.
-- Days after the cut-off date are not complete: they have no growth and are not like-for-like.
-- nombre_festivo tells readers why a day was unusual. It also spares a third of each refresh:
-- REFRESH CONCURRENTLY looks for duplicates among rows without a null only, and most days are no
-- holiday. The unique index looks at all rows. Ratios are cast to their type, which rounds them.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

ventas as (

    select * from {{ ref('agg_ventas_dia_tienda') }}
    where fecha >= {{ first_date_in_views() }} and es_dia_abierto

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

calendario as (

    select * from {{ ref('dim_calendario') }}

),

-- Days back by date, not by row: a store that was not open has no row.
final as (

    select
        ventas.fecha,
        ventas.tienda_id,
        ventas.total_ventas,
        ventas.numero_tickets,
        cast(ventas.total_ventas / nullif(ventas.numero_tickets, 0) as numeric(14, 2))
            as ticket_promedio,
        ventas.unidades,
        dia_anterior.total_ventas as ventas_dia_anterior,
        cast(
            case
                when ventas.fecha <= (select corte.fecha_corte from corte)
                    then
                        100
                        * (ventas.total_ventas - dia_anterior.total_ventas)
                        / nullif(dia_anterior.total_ventas, 0)
            end as numeric(12, 2)
        ) as cambio_pct,
        semana_anterior.total_ventas as ventas_semana_anterior,
        anno_anterior.total_ventas as ventas_anno_anterior,
        case
            when calendario.fecha_comparable_evento = calendario.fecha_comparable
                then anno_anterior.total_ventas
            else de_evento.total_ventas
        end as ventas_evento_anterior,
        anno_anterior.numero_tickets as tickets_anno_anterior,
        -- The row of 364 days before says that the store was open then.
        coalesce(
            ventas.fecha <= (select corte.fecha_corte from corte)
            and not ventas.en_remodelacion
            and not anno_anterior.en_remodelacion
            and calendario.fecha_comparable
            >= date_trunc('month', tiendas.fecha_apertura) + interval '1 month',
            false
        ) as es_mismas_tiendas,
        calendario.nombre_festivo
    from ventas
    inner join calendario on ventas.fecha = calendario.fecha
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id
    left join ventas as dia_anterior
        on
            ventas.fecha - 1 = dia_anterior.fecha
            and ventas.tienda_id = dia_anterior.tienda_id
    left join ventas as semana_anterior
        on
            ventas.fecha - 7 = semana_anterior.fecha
            and ventas.tienda_id = semana_anterior.tienda_id
    left join ventas as anno_anterior
        on
            ventas.fecha - 364 = anno_anterior.fecha
            and ventas.tienda_id = anno_anterior.tienda_id
    left join ventas as de_evento
        on
            calendario.fecha_comparable_evento = de_evento.fecha
            and calendario.fecha_comparable_evento != calendario.fecha_comparable
            and ventas.tienda_id = de_evento.tienda_id

)

select * from final
