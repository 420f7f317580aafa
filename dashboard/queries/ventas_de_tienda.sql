-- Sales of one store: the columns of ventas_por_dia. Grain: day of the period.
with

tiendas as (

    select tienda_id
    from {{ ref('tiendas') }}
    where
        cadena = any({{ param('cadena') }}::text[])
        and region = any({{ param('region') }}::text[])
        and formato = any({{ param('formato') }}::text[])
        and tienda_id = {{ param('tienda') }}::integer

),

dias as (

    select fecha
    from {{ ref('calendario') }}
    where fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date

),

ventas as (

    select
        -- The day of the period that a day stands on. By calendar the 29 February of the year before
        -- has none of its own, nor have days past the end: they count on the last day before.
        case
            when ventas.fecha >= {{ param('desde') }}::date then ventas.fecha
            when {{ param('por_calendario') }}::boolean
                then least((ventas.fecha + interval '1 year')::date, {{ param('hasta') }}::date)
            else ventas.fecha + 364
        end as dia,
        ventas.fecha >= {{ param('desde') }}::date as es_periodo,
        sum(ventas.total_ventas) as total_ventas,
        sum(ventas.ventas_netas) as ventas_netas,
        sum(ventas.margen) as margen,
        sum(ventas.numero_tickets) as numero_tickets,
        sum(ventas.articulos) as articulos,
        count(*) filter (where ventas.es_dia_abierto) as dias_tienda
    from {{ ref('agg_ventas_dia_tienda') }} as ventas
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date
        or ventas.fecha between {{ param('antes_desde') }}::date and {{ param('antes_hasta') }}::date
    group by dia, es_periodo

),

mismas as (

    select
        mismas.fecha,
        sum(mismas.total_ventas) as ventas_mismas,
        sum(mismas.ventas_anno_anterior) as ventas_mismas_antes,
        sum(mismas.numero_tickets) as tickets_mismas,
        sum(mismas.tickets_anno_anterior) as tickets_mismas_antes
    from {{ ref('mv_daily_store_sales') }} as mismas
    inner join tiendas on mismas.tienda_id = tiendas.tienda_id
    where
        mismas.es_mismas_tiendas
        and mismas.fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date
    group by mismas.fecha

),

plan as (

    select
        plan.fecha,
        sum(plan.plan_ventas) as total_ventas,
        sum(plan.plan_ventas_netas) as ventas_netas,
        sum(plan.plan_margen) as margen,
        sum(plan.plan_tickets) as numero_tickets,
        count(*) as dias_tienda
    from {{ ref('mv_plan_ventas') }} as plan
    inner join tiendas on plan.tienda_id = tiendas.tienda_id
    where plan.fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date
    group by plan.fecha

)

select
    dias.fecha,
    ahora.total_ventas,
    ahora.ventas_netas,
    ahora.margen,
    ahora.numero_tickets,
    ahora.articulos,
    antes.total_ventas as total_ventas_antes,
    antes.ventas_netas as ventas_netas_antes,
    antes.margen as margen_antes,
    antes.numero_tickets as numero_tickets_antes,
    antes.articulos as articulos_antes,
    mismas.ventas_mismas,
    mismas.ventas_mismas_antes,
    mismas.tickets_mismas,
    mismas.tickets_mismas_antes,
    plan.total_ventas as total_ventas_plan,
    plan.ventas_netas as ventas_netas_plan,
    plan.margen as margen_plan,
    plan.numero_tickets as numero_tickets_plan,
    coalesce(ahora.dias_tienda, 0) as dias_tienda,
    coalesce(plan.dias_tienda, 0) as dias_tienda_plan
from dias
left join ventas as ahora on dias.fecha = ahora.dia and ahora.es_periodo
left join ventas as antes on dias.fecha = antes.dia and not antes.es_periodo
left join mismas on dias.fecha = mismas.fecha
left join plan on dias.fecha = plan.fecha
order by dias.fecha
