-- Which months sell more of a category, whatever its growth: seasonal index by month, 100 = the
-- year's mean? Articles a day, holidays and paydays included, over the mean of the twelve months
-- around, the two outer ones half each; then the mean over the years, and all twelve to 100.
-- error_indice: standard error over the years. Whole months only. Reads
-- retail.agg_ventas_dia_region_producto and, for the first day, retail.agg_ventas_dia_tienda. One
-- row per category and month.

with

limites as (
    {{ whole_periods('month') }}
),

meses as (

    select
        productos.categoria,
        date_trunc('month', ventas.fecha::timestamp)::date as mes,
        sum(ventas.articulos)::numeric / count(distinct ventas.fecha) as articulos_dia
    from {{ ref('agg_ventas_dia_region_producto') }} as ventas
    inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
    where
        ventas.fecha >= (select limites.desde from limites)
        and ventas.fecha < (select limites.hasta from limites)
    group by productos.categoria, date_trunc('month', ventas.fecha::timestamp)

),

con_tendencia as (

    select
        *,
        (
            sum(articulos_dia) over (serie rows between 5 preceding and 5 following)
            + sum(articulos_dia) over (serie rows between 6 preceding and 6 following)
        ) / 24 as tendencia,
        count(*) over (serie rows between 6 preceding and 6 following) as meses_vistos
    from meses
    window serie as (partition by categoria order by mes)

),

por_mes as (

    select
        categoria,
        extract(month from mes)::integer as mes,
        count(*) as annos,
        avg(articulos_dia / tendencia) as indice,
        stddev_samp(articulos_dia / tendencia) as desviacion
    from con_tendencia
    where meses_vistos = 13
    group by categoria, extract(month from mes)

)

select
    categoria,
    mes,
    annos,
    round(100 * indice / avg(indice) over (partition by categoria), 1) as indice,
    round(
        100 * desviacion / sqrt(annos::numeric) / avg(indice) over (partition by categoria), 1
    ) as error_indice
from por_mes
order by categoria, mes
