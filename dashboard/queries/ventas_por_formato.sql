-- Tickets of the period and of the days that it is compared with; whole months of both from the
-- months. Grain: format and channel.
with

partes as (

    select
        tienda_id,
        canal,
        mes between {{ param('desde') }}::date and {{ param('hasta') }}::date as es_periodo,
        total_ventas,
        numero_tickets,
        articulos
    from {{ ref('agg_ventas_mes_tienda_canal') }}
    where
        mes between {{ param('meses_desde') }}::date and {{ param('meses_hasta') }}::date
        or mes between {{ param('antes_meses_desde') }}::date and {{ param('antes_meses_hasta') }}::date
    union all
    select
        tienda_id,
        canal,
        fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date as es_periodo,
        total_ventas,
        numero_tickets,
        articulos
    from {{ ref('agg_ventas_dia_tienda_canal') }}
    where
        fecha between {{ param('desde') }}::date and {{ param('meses_desde') }}::date - 1
        or fecha between {{ param('meses_hasta') }}::date + 1 and {{ param('hasta') }}::date
        or fecha between {{ param('antes_desde') }}::date and {{ param('antes_meses_desde') }}::date - 1
        or fecha between {{ param('antes_meses_hasta') }}::date + 1 and {{ param('antes_hasta') }}::date

)

select
    tiendas.formato,
    partes.canal,
    sum(partes.total_ventas) filter (where partes.es_periodo) as total_ventas,
    sum(partes.numero_tickets) filter (where partes.es_periodo) as numero_tickets,
    sum(partes.articulos) filter (where partes.es_periodo) as articulos,
    sum(partes.total_ventas) filter (where not partes.es_periodo) as total_ventas_antes,
    sum(partes.numero_tickets) filter (where not partes.es_periodo) as numero_tickets_antes,
    sum(partes.articulos) filter (where not partes.es_periodo) as articulos_antes
from partes
inner join {{ ref('tiendas') }} as tiendas on partes.tienda_id = tiendas.tienda_id
where
    tiendas.formato = any({{ param('formato') }}::text[])
    and tiendas.region = any({{ param('region') }}::text[])
group by tiendas.formato, partes.canal
order by tiendas.formato, total_ventas desc nulls last
