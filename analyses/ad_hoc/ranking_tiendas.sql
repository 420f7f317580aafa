-- Which stores sell most from their space: sales per square metre and day, ranked by format?
-- The last full month, by the days on which the store was open, with and without sales. Reads
-- retail.agg_ventas_dia_tienda. One row per store.

with

mes as (

    select (date_trunc('month', fecha_corte + 1) - interval '1 month')::date as desde
    from {{ ref('corte') }}

),

por_tienda as (

    select
        tienda_id,
        count(*) filter (where es_dia_abierto) as dias,
        sum(total_ventas) as total_ventas,
        sum(numero_tickets) as numero_tickets
    from {{ ref('agg_ventas_dia_tienda') }}
    where
        fecha >= (select mes.desde from mes)
        and fecha < (select mes.desde + interval '1 month' from mes)
    group by tienda_id

)

select
    tiendas.formato,
    tiendas.nombre_tienda,
    por_tienda.total_ventas,
    round(por_tienda.total_ventas / nullif(por_tienda.numero_tickets, 0), 2) as ticket_promedio,
    round(por_tienda.total_ventas / tiendas.superficie_m2 / por_tienda.dias, 2) as ventas_m2_dia,
    rank() over (
        partition by tiendas.formato
        order by por_tienda.total_ventas / tiendas.superficie_m2 / por_tienda.dias desc
    ) as lugar
from por_tienda
inner join {{ ref('dim_tienda') }} as tiendas on por_tienda.tienda_id = tiendas.tienda_id
order by tiendas.formato, lugar, tiendas.tienda_id
