{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[{'columns': ['fecha', 'cadena'], 'unique': true}],
) }}

-- Grain: one row per day and chain with an open store, for the last `years_in_views` years; a day
-- without sales is zero.
-- Additive: sales, tickets, unidades. Not additive: tiendas_mismas, ratios.
-- Days after the cut-off date are not complete: they have no growth.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

ventas as (

    select
        *,
        case when es_mismas_tiendas then tienda_id end as tienda_misma
    from {{ ref('mv_daily_store_sales') }}

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

calendario as (

    select * from {{ ref('dim_calendario') }}

),

por_dia as (

    select
        ventas.fecha,
        tiendas.cadena,
        sum(ventas.total_ventas) as total_ventas,
        sum(ventas.numero_tickets)::bigint as numero_tickets,
        sum(ventas.unidades) as unidades,
        coalesce(sum(ventas.total_ventas) filter (where ventas.es_mismas_tiendas), 0)
            as ventas_mismas_tiendas,
        coalesce(sum(ventas.ventas_anno_anterior) filter (where ventas.es_mismas_tiendas), 0)
            as ventas_mismas_tiendas_anterior,
        coalesce(sum(ventas.numero_tickets) filter (where ventas.es_mismas_tiendas), 0)::bigint
            as tickets_mismas_tiendas,
        coalesce(
            sum(ventas.tickets_anno_anterior) filter (where ventas.es_mismas_tiendas), 0
        )::bigint as tickets_mismas_tiendas_anterior,
        count(ventas.tienda_misma) as tiendas_mismas
    from ventas
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id
    group by ventas.fecha, tiendas.cadena

),

-- The day before, not the row before: a chain without an open store has no row. The other days are
-- those of all stores of the chain that were open then, so growth is not like-for-like.
final as (

    select
        por_dia.fecha,
        por_dia.cadena,
        por_dia.total_ventas,
        por_dia.numero_tickets,
        round(por_dia.total_ventas / nullif(por_dia.numero_tickets, 0), 2) as ticket_promedio,
        por_dia.unidades,
        dia_anterior.total_ventas as ventas_dia_anterior,
        case
            when por_dia.fecha <= (select corte.fecha_corte from corte)
                then {{ growth_pct('por_dia.total_ventas', 'dia_anterior.total_ventas') }}
        end as cambio_pct,
        semana_anterior.total_ventas as ventas_semana_anterior,
        anno_anterior.total_ventas as ventas_anno_anterior,
        evento_anterior.total_ventas as ventas_evento_anterior,
        por_dia.ventas_mismas_tiendas,
        por_dia.ventas_mismas_tiendas_anterior,
        por_dia.tickets_mismas_tiendas,
        por_dia.tickets_mismas_tiendas_anterior,
        por_dia.tiendas_mismas,
        {{ growth_pct('por_dia.ventas_mismas_tiendas', 'por_dia.ventas_mismas_tiendas_anterior') }}
            as mismas_tiendas_pct
    from por_dia
    inner join calendario on por_dia.fecha = calendario.fecha
    left join por_dia as dia_anterior
        on por_dia.fecha - 1 = dia_anterior.fecha and por_dia.cadena = dia_anterior.cadena
    left join por_dia as semana_anterior
        on por_dia.fecha - 7 = semana_anterior.fecha and por_dia.cadena = semana_anterior.cadena
    left join por_dia as anno_anterior
        on por_dia.fecha - 364 = anno_anterior.fecha and por_dia.cadena = anno_anterior.cadena
    left join por_dia as evento_anterior
        on
            calendario.fecha_comparable_evento = evento_anterior.fecha
            and por_dia.cadena = evento_anterior.cadena

)

select * from final
order by fecha, cadena
