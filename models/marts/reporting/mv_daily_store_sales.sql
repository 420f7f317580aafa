{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    on_dependants='rebuild',
    indexes=[{'columns': ['fecha', 'tienda_id'], 'unique': true}],
) }}

-- Grain: one row per store and day on which it was open, for the last `years_in_views` years; a day
-- without sales is zero.
-- Additive: sales, tickets, unidades. Not additive: ticket_promedio, cambio_pct.
-- nombre_festivo tells readers why a day was unusual. It also spares a third of each refresh:
-- REFRESH CONCURRENTLY looks for duplicates among rows without a null only, and most days are no
-- holiday. The unique index looks at all rows. Ratios are cast to their type, which rounds them.

with

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

-- Days back by date, not by row, in one sort instead of a join for each comparison.
comparadas as (

    select
        ventas.*,
        first_value(ventas.total_ventas) over dia_anterior as ventas_dia_anterior,
        first_value(ventas.total_ventas) over semana_anterior as ventas_semana_anterior,
        first_value(ventas.total_ventas) over anno_anterior as ventas_anno_anterior,
        first_value(ventas.numero_tickets) over anno_anterior as tickets_anno_anterior,
        first_value(ventas.en_remodelacion) over anno_anterior as en_remodelacion_anterior
    from ventas
    window
        dias as (partition by ventas.tienda_id order by ventas.fecha),
        dia_anterior as (
            dias range between interval '1 day' preceding and interval '1 day' preceding
        ),
        semana_anterior as (
            dias range between interval '7 days' preceding and interval '7 days' preceding
        ),
        anno_anterior as (
            dias range between interval '364 days' preceding and interval '364 days' preceding
        )

),

final as (

    select
        comparadas.fecha,
        comparadas.tienda_id,
        comparadas.total_ventas,
        comparadas.numero_tickets,
        cast(comparadas.total_ventas / nullif(comparadas.numero_tickets, 0) as numeric(14, 2))
            as ticket_promedio,
        comparadas.unidades,
        comparadas.ventas_dia_anterior,
        cast(
            100
            * (comparadas.total_ventas - comparadas.ventas_dia_anterior)
            / nullif(comparadas.ventas_dia_anterior, 0) as numeric(12, 2)
        ) as cambio_pct,
        comparadas.ventas_semana_anterior,
        comparadas.ventas_anno_anterior,
        case
            when calendario.fecha_comparable_evento = calendario.fecha_comparable
                then comparadas.ventas_anno_anterior
            else de_evento.total_ventas
        end as ventas_evento_anterior,
        comparadas.tickets_anno_anterior,
        -- The row of 364 days before says that the store was open then.
        coalesce(
            not comparadas.en_remodelacion
            and not comparadas.en_remodelacion_anterior
            and calendario.fecha_comparable
            >= date_trunc('month', tiendas.fecha_apertura) + interval '1 month',
            false
        ) as es_mismas_tiendas,
        calendario.nombre_festivo
    from comparadas
    inner join calendario on comparadas.fecha = calendario.fecha
    inner join tiendas on comparadas.tienda_id = tiendas.tienda_id
    left join ventas as de_evento
        on
            calendario.fecha_comparable_evento = de_evento.fecha
            and calendario.fecha_comparable_evento != calendario.fecha_comparable
            and comparadas.tienda_id = de_evento.tienda_id

)

select * from final
