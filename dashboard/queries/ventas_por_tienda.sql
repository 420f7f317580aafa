-- Sales of the period, of the days that it is compared with, and its plan. Grain: store.
with

ventas as (

    select
        tienda_id,
        sum(total_ventas) filter (where es_periodo) as total_ventas,
        sum(ventas_netas) filter (where es_periodo) as ventas_netas,
        sum(margen) filter (where es_periodo) as margen,
        sum(numero_tickets) filter (where es_periodo) as numero_tickets,
        count(*) filter (where es_periodo and es_dia_abierto) as dias_abierta,
        sum(total_ventas) filter (where es_anterior) as total_ventas_antes,
        sum(ventas_netas) filter (where es_anterior) as ventas_netas_antes,
        sum(margen) filter (where es_anterior) as margen_antes,
        sum(numero_tickets) filter (where es_anterior) as numero_tickets_antes,
        count(*) filter (where es_anterior and es_dia_abierto) as dias_abierta_antes
    from (
        select
            *,
            fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date as es_periodo,
            fecha between {{ param('antes_desde') }}::date and {{ param('antes_hasta') }}::date as es_anterior
        from {{ ref('agg_ventas_dia_tienda') }}
        where
            fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date
            or fecha between {{ param('antes_desde') }}::date and {{ param('antes_hasta') }}::date
    ) as dias
    group by tienda_id

),

mismas as (

    select
        tienda_id,
        sum(total_ventas) as ventas_mismas,
        sum(ventas_anno_anterior) as ventas_mismas_antes
    from {{ ref('mv_daily_store_sales') }}
    where
        es_mismas_tiendas
        and fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date
    group by tienda_id

),

plan as (

    select
        tienda_id,
        sum(plan_ventas) as total_ventas,
        count(*) as dias
    from {{ ref('mv_plan_ventas') }}
    where fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date
    group by tienda_id

)

select
    tiendas.tienda_id,
    tiendas.codigo_tienda,
    tiendas.nombre_tienda,
    tiendas.cadena,
    tiendas.formato,
    tiendas.region,
    tiendas.ciudad,
    tiendas.estado,
    tiendas.superficie_m2,
    tiendas.fecha_apertura,
    tiendas.fecha_cierre,
    tiendas.fecha_remodelacion,
    ventas.total_ventas,
    ventas.ventas_netas,
    ventas.margen,
    ventas.numero_tickets,
    ventas.dias_abierta,
    ventas.total_ventas_antes,
    ventas.ventas_netas_antes,
    ventas.margen_antes,
    ventas.numero_tickets_antes,
    ventas.dias_abierta_antes,
    mismas.ventas_mismas,
    mismas.ventas_mismas_antes,
    -- A plan of a part of its days is none.
    case when plan.dias >= ventas.dias_abierta then plan.total_ventas end as total_ventas_plan
from {{ ref('tiendas') }} as tiendas
inner join ventas on tiendas.tienda_id = ventas.tienda_id
left join mismas on tiendas.tienda_id = mismas.tienda_id
left join plan on tiendas.tienda_id = plan.tienda_id
where
    tiendas.cadena = any({{ param('cadena') }}::text[])
    and tiendas.region = any({{ param('region') }}::text[])
    and tiendas.formato = any({{ param('formato') }}::text[])
order by ventas.total_ventas desc nulls last, tiendas.tienda_id
