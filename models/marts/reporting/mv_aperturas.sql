{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[{'columns': ['tienda_id', 'semana'], 'unique': true}],
) }}

-- Grain: one row per store and week since its opening (semana 1 to 52): stores that opened in the
-- 728 days up to the cut-off date, and not before the first day with sales.
-- Additive over stores and weeks: days, sales, tickets. Not additive: means and percentages, which
-- are sum / sum.
-- Mature: open for 364 days or more. Days in works count on neither side. The mature stores of the
-- format and region; of the whole format, if there is none there on each of the store's days.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

dias as (

    select
        ventas.fecha,
        ventas.tienda_id,
        ventas.total_ventas,
        ventas.numero_tickets,
        tiendas.formato,
        tiendas.region,
        tiendas.fecha_apertura,
        ventas.fecha >= tiendas.fecha_apertura + 364 as es_madura
    from {{ ref('agg_ventas_dia_tienda') }} as ventas
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha > (select corte.fecha_corte from corte) - 728
        and ventas.fecha <= (select corte.fecha_corte from corte)
        and ventas.es_dia_abierto
        and not ventas.en_remodelacion

),

maduras as (

    select
        fecha,
        formato,
        coalesce(region, 'todas') as region,
        count(*) as dias_tienda,
        sum(total_ventas) as total_ventas,
        sum(numero_tickets) as numero_tickets
    from dias
    where es_madura
    group by fecha, formato, grouping sets ((region), ())

),

nuevas as (

    select
        dias.*,
        (dias.fecha - dias.fecha_apertura) / 7 + 1 as semana,
        bool_and(cercanas.fecha is not null) over (partition by dias.tienda_id) as tiene_cercanas
    from dias
    left join maduras as cercanas
        on
            dias.fecha = cercanas.fecha
            and dias.formato = cercanas.formato
            and dias.region = cercanas.region
    where
        dias.fecha between dias.fecha_apertura and dias.fecha_apertura + 363
        and dias.fecha_apertura > (select corte.fecha_corte from corte) - 728
        and dias.fecha_apertura > (select min(fecha) from {{ ref('agg_ventas_dia_tienda') }})

),

por_semana as (

    select
        nuevas.tienda_id,
        nuevas.semana,
        nuevas.fecha_apertura,
        nuevas.tiene_cercanas,
        count(*) as dias_tienda,
        sum(nuevas.total_ventas) as total_ventas,
        sum(nuevas.numero_tickets) as numero_tickets,
        sum(maduras.dias_tienda) as dias_tienda_maduras,
        sum(maduras.total_ventas) as total_ventas_maduras,
        sum(maduras.numero_tickets) as numero_tickets_maduras,
        count(maduras.fecha) as dias_comparados,
        -- Sums for the spread of the days around the proportion.
        sum(maduras.total_ventas / maduras.dias_tienda) as x,
        sum((maduras.total_ventas / maduras.dias_tienda) ^ 2) as xx,
        sum(nuevas.total_ventas * maduras.total_ventas / maduras.dias_tienda) as xy,
        sum(nuevas.total_ventas ^ 2) as yy
    from nuevas
    left join maduras
        on
            nuevas.fecha = maduras.fecha
            and nuevas.formato = maduras.formato
            and case when nuevas.tiene_cercanas then nuevas.region else 'todas' end = maduras.region
    group by nuevas.tienda_id, nuevas.semana, nuevas.fecha_apertura, nuevas.tiene_cercanas

),

final as (
    {{ opening_columns() }}
)

select * from final
order by tienda_id, semana
