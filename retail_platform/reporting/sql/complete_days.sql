-- The last complete day and the days after it, with the stores that are missing. Grain: day.
with

corte as (

    select * from {{ ref('corte') }}

),

ventas as (

    select
        fecha,
        tienda_id
    from {{ ref('agg_ventas_dia_tienda') }}
    where
        lineas > 0
        and fecha >= (select coalesce(ultimo_dia_completo, ultimo_dia_con_ventas) from corte)

),

ultimas as (

    select
        tienda_id,
        max(fecha) as fecha
    from ventas
    group by tienda_id

),

dias as (

    select distinct fecha from ventas

),

tiendas as (

    select * from {{ ref('dim_tienda') }}
    where activo or fecha_cierre is not null

)

select
    dias.fecha as "día",
    case
        when dias.fecha <= corte.ultimo_dia_completo then 'completo' else 'parcial'
    end as "entrega",
    count(tiendas.tienda_id) as "tiendas abiertas",
    count(ultimas.tienda_id) as "reportaron",
    round(100.0 * count(ultimas.tienda_id) / nullif(count(tiendas.tienda_id), 0), 1) as "%",
    round(100 * corte.proporcion_minima, 1) as "mínimo %",
    array_to_string(
        (array_agg(tiendas.codigo_tienda order by tiendas.codigo_tienda) filter (
            where tiendas.tienda_id is not null and ultimas.tienda_id is null
        ))[:10],
        ', '
    ) as "faltan (hasta 10)"
from dias
cross join corte
left join tiendas
    on
        dias.fecha >= tiendas.fecha_apertura
        and dias.fecha <= coalesce(tiendas.fecha_cierre, 'infinity')
left join ultimas
    on
        tiendas.tienda_id = ultimas.tienda_id
        and dias.fecha <= ultimas.fecha
where
    -- A store in works counts only if it reported.
    ultimas.tienda_id is not null
    or tiendas.fecha_inicio_remodelacion is null
    or dias.fecha < tiendas.fecha_inicio_remodelacion
    or dias.fecha >= tiendas.fecha_remodelacion
group by dias.fecha, corte.ultimo_dia_completo, corte.proporcion_minima
order by dias.fecha desc
