-- Is each region growing: sales of the last twelve whole months, against the comparable days? Days
-- are compared with the same weekday 364 days before, so a month with one more Saturday gains
-- nothing. All stores of the region, each side summed before they are compared; only months of
-- which every comparable day has data. Reads retail.agg_ventas_dia_tienda. One row per month and
-- region.

with

primer_dia as (

    select min(fecha) as fecha from {{ ref('agg_ventas_dia_tienda') }}

),

hasta as (

    select date_trunc('month', fecha_corte + 1)::date as fecha from {{ ref('corte') }}

),

por_dia as (

    select
        ventas.fecha,
        tiendas.region,
        sum(ventas.total_ventas) as total_ventas
    from {{ ref('agg_ventas_dia_tienda') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha >= (select hasta.fecha - interval '12 months' from hasta)::date - 364
        and ventas.fecha < (select hasta.fecha from hasta)
    group by ventas.fecha, tiendas.region

),

por_mes as (

    select
        date_trunc('month', dias.fecha)::date as mes,
        por_dia.region,
        sum(por_dia.total_ventas) filter (where dias.es_actual) as total_ventas,
        sum(por_dia.total_ventas) filter (where not dias.es_actual) as ventas_comparables
    from por_dia
    cross join
        lateral (
            values (por_dia.fecha, true), (por_dia.fecha + 364, false)
        ) as dias (fecha, es_actual)
    where
        dias.fecha >= (select hasta.fecha - interval '12 months' from hasta)
        and dias.fecha < (select hasta.fecha from hasta)
        and date_trunc('month', dias.fecha)::date - 364 >= (select primer_dia.fecha from primer_dia)
    group by mes, por_dia.region

)

select
    mes,
    region,
    total_ventas,
    ventas_comparables,
    round(100 * (total_ventas / nullif(ventas_comparables, 0) - 1), 1) as crecimiento_pct
from por_mes
order by mes, region
