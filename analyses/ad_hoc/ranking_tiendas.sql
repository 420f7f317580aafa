-- Which stores sell most from their space: sales per square metre and day, ranked by format?
-- The last full month, by the days on which the store was open and not in works, with and without
-- sales. Reads retail.agg_ventas_dia_tienda. One row per store that had such a day.

with

mes as (

    select (date_trunc('month', fecha_corte + 1) - interval '1 month')::date as desde
    from {{ ref('corte') }}

),

por_tienda as (

    select
        tienda_id,
        count(*) as dias,
        sum(total_ventas) as total_ventas,
        sum(numero_tickets) as numero_tickets
    from {{ ref('agg_ventas_dia_tienda') }}
    where
        fecha >= (select mes.desde from mes)
        and fecha < (select mes.desde + interval '1 month' from mes)
        and es_dia_abierto
        and not en_remodelacion
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
