-- Did every store report: days on which an open store shows no sale, over the last 90 days?
-- A gap is a day without customers (small stores) or a file that did not arrive. Reads
-- retail.agg_ventas_dia_tienda, where such a day is a row of zeros. One row per format.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

)

select
    tiendas.formato,
    count(*) as dias_abiertos,
    count(*) filter (where ventas.lineas = 0) as dias_sin_ventas,
    round(100.0 * count(*) filter (where ventas.lineas = 0) / count(*), 2) as sin_ventas_pct
from {{ ref('agg_ventas_dia_tienda') }} as ventas
inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
where
    ventas.fecha > (select ultimo_dia.fecha from ultimo_dia) - 90
    and ventas.fecha <= (select ultimo_dia.fecha from ultimo_dia)
    and ventas.es_dia_abierto
group by tiendas.formato
order by tiendas.formato
