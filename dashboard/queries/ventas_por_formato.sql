-- Tickets of the period and of the days that it is compared with. Grain: format and channel.
with

dias as (

    select
        tiendas.formato,
        ventas.canal,
        ventas.total_ventas,
        ventas.numero_tickets,
        ventas.articulos,
        ventas.fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date as es_periodo,
        ventas.fecha between {{ param('antes_desde') }}::date and {{ param('antes_hasta') }}::date as es_anterior
    from {{ ref('agg_ventas_dia_tienda_canal') }} as ventas
    inner join {{ ref('tiendas') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        tiendas.formato = any({{ param('formato') }}::text[])
        and tiendas.region = any({{ param('region') }}::text[])
        and (
            ventas.fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date
            or ventas.fecha between {{ param('antes_desde') }}::date and {{ param('antes_hasta') }}::date
        )

)

select
    formato,
    canal,
    sum(total_ventas) filter (where es_periodo) as total_ventas,
    sum(numero_tickets) filter (where es_periodo) as numero_tickets,
    sum(articulos) filter (where es_periodo) as articulos,
    sum(total_ventas) filter (where es_anterior) as total_ventas_antes,
    sum(numero_tickets) filter (where es_anterior) as numero_tickets_antes,
    sum(articulos) filter (where es_anterior) as articulos_antes
from dias
group by formato, canal
order by formato, total_ventas desc nulls last
