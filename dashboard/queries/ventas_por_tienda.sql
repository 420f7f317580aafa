-- Sales of the period, of the days that it is compared with, and its plan; whole months of both from
-- the months. Grain: store.
with

partes as (

    select
        tienda_id,
        mes between {{ param('desde') }}::date and {{ param('hasta') }}::date as es_periodo,
        dias_tienda,
        numero_tickets,
        total_ventas,
        ventas_netas,
        margen,
        ventas_mismas_tiendas,
        ventas_mismas_tiendas_anterior,
        dias_tienda_plan,
        plan_ventas
    from {{ ref('mv_ventas_mes_tienda') }}
    where
        mes between {{ param('meses_desde') }}::date and {{ param('meses_hasta') }}::date
        or mes between {{ param('antes_meses_desde') }}::date and {{ param('antes_meses_hasta') }}::date
    union all
    select
        tienda_id,
        fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date as es_periodo,
        count(*) filter (where es_dia_abierto) as dias_tienda,
        sum(numero_tickets) as numero_tickets,
        sum(total_ventas) as total_ventas,
        sum(ventas_netas) as ventas_netas,
        sum(margen) as margen,
        null as ventas_mismas_tiendas,
        null as ventas_mismas_tiendas_anterior,
        null as dias_tienda_plan,
        null as plan_ventas
    from {{ ref('agg_ventas_dia_tienda') }}
    where
        fecha between {{ param('desde') }}::date and {{ param('meses_desde') }}::date - 1
        or fecha between {{ param('meses_hasta') }}::date + 1 and {{ param('hasta') }}::date
        or fecha between {{ param('antes_desde') }}::date and {{ param('antes_meses_desde') }}::date - 1
        or fecha between {{ param('antes_meses_hasta') }}::date + 1 and {{ param('antes_hasta') }}::date
    group by tienda_id, es_periodo
    union all
    select
        tienda_id,
        true as es_periodo,
        null as dias_tienda,
        null as numero_tickets,
        null as total_ventas,
        null as ventas_netas,
        null as margen,
        sum(total_ventas) as ventas_mismas_tiendas,
        sum(ventas_anno_anterior) as ventas_mismas_tiendas_anterior,
        null as dias_tienda_plan,
        null as plan_ventas
    from {{ ref('mv_daily_store_sales') }}
    where
        es_mismas_tiendas
        and (
            fecha between {{ param('desde') }}::date and {{ param('meses_desde') }}::date - 1
            or fecha between {{ param('meses_hasta') }}::date + 1 and {{ param('hasta') }}::date
        )
    group by tienda_id
    union all
    select
        tienda_id,
        true as es_periodo,
        null as dias_tienda,
        null as numero_tickets,
        null as total_ventas,
        null as ventas_netas,
        null as margen,
        null as ventas_mismas_tiendas,
        null as ventas_mismas_tiendas_anterior,
        count(*) as dias_tienda_plan,
        sum(plan_ventas) as plan_ventas
    from {{ ref('mv_plan_ventas') }}
    where
        fecha between {{ param('desde') }}::date and {{ param('meses_desde') }}::date - 1
        or fecha between {{ param('meses_hasta') }}::date + 1 and {{ param('hasta') }}::date
    group by tienda_id

),

sumas as (

    select
        tienda_id,
        sum(total_ventas) filter (where es_periodo) as total_ventas,
        sum(ventas_netas) filter (where es_periodo) as ventas_netas,
        sum(margen) filter (where es_periodo) as margen,
        sum(numero_tickets) filter (where es_periodo) as numero_tickets,
        coalesce(sum(dias_tienda) filter (where es_periodo), 0) as dias_abierta,
        sum(total_ventas) filter (where not es_periodo) as total_ventas_antes,
        sum(ventas_netas) filter (where not es_periodo) as ventas_netas_antes,
        sum(margen) filter (where not es_periodo) as margen_antes,
        sum(numero_tickets) filter (where not es_periodo) as numero_tickets_antes,
        coalesce(sum(dias_tienda) filter (where not es_periodo), 0) as dias_abierta_antes,
        sum(ventas_mismas_tiendas) filter (where es_periodo) as ventas_mismas,
        sum(ventas_mismas_tiendas_anterior) filter (where es_periodo) as ventas_mismas_antes,
        sum(plan_ventas) filter (where es_periodo) as total_ventas_plan,
        sum(dias_tienda_plan) filter (where es_periodo) as dias_plan
    from partes
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
    sumas.total_ventas,
    sumas.ventas_netas,
    sumas.margen,
    sumas.numero_tickets,
    sumas.dias_abierta,
    sumas.total_ventas_antes,
    sumas.ventas_netas_antes,
    sumas.margen_antes,
    sumas.numero_tickets_antes,
    sumas.dias_abierta_antes,
    sumas.ventas_mismas,
    sumas.ventas_mismas_antes,
    -- A plan of a part of its days is none.
    case when sumas.dias_plan >= sumas.dias_abierta then sumas.total_ventas_plan end as total_ventas_plan
from {{ ref('tiendas') }} as tiendas
inner join sumas on tiendas.tienda_id = sumas.tienda_id
where
    tiendas.cadena = any({{ param('cadena') }}::text[])
    and tiendas.region = any({{ param('region') }}::text[])
    and tiendas.formato = any({{ param('formato') }}::text[])
order by sumas.total_ventas desc nulls last, tiendas.tienda_id
