-- Did every store report: days on which an open store shows no sale, over the last 90 days?
-- A gap is a day without customers (small stores) or a file that did not arrive. Reads
-- retail.agg_ventas_dia_tienda. One row per format.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

dias_abiertos as (

    select
        calendario.fecha,
        tiendas.tienda_id,
        tiendas.formato
    from {{ ref('dim_calendario') }} as calendario
    inner join {{ ref('dim_tienda') }} as tiendas
        on
            calendario.fecha >= tiendas.fecha_apertura
            and (tiendas.fecha_cierre is null or calendario.fecha <= tiendas.fecha_cierre)
    where
        calendario.fecha > (select ultimo_dia.fecha from ultimo_dia) - 90
        and calendario.fecha <= (select ultimo_dia.fecha from ultimo_dia)

)

select
    dias_abiertos.formato,
    count(*) as dias_abiertos,
    count(*) - count(ventas.fecha) as dias_sin_ventas,
    round(100.0 * (count(*) - count(ventas.fecha)) / count(*), 2) as sin_ventas_pct
from dias_abiertos
left join {{ ref('agg_ventas_dia_tienda') }} as ventas
    on
        dias_abiertos.fecha = ventas.fecha
        and dias_abiertos.tienda_id = ventas.tienda_id
group by dias_abiertos.formato
order by dias_abiertos.formato
