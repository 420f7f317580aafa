-- Sales of each day, of the day that it is compared with, and its plan. Grain: day of the period.
with

ventas as (

    select
        -- The day of the period that a day stands on. By calendar the 29 February of the year before
        -- has none of its own, nor have days past the end: they count on the last day before.
        case
            when fecha >= {{ param('desde') }}::date then fecha
            when {{ param('por_calendario') }}::boolean
                then least((fecha + interval '1 year')::date, {{ param('hasta') }}::date)
            else fecha + 364
        end as dia,
        fecha >= {{ param('desde') }}::date as es_periodo,
        sum(total_ventas) as total_ventas,
        sum(ventas_netas) as ventas_netas,
        sum(margen) as margen,
        sum(numero_tickets) as numero_tickets,
        sum(articulos) as articulos,
        sum(dias_tienda) as dias_tienda,
        sum(ventas_mismas_tiendas) as ventas_mismas,
        sum(ventas_mismas_tiendas_anterior) as ventas_mismas_antes,
        sum(tickets_mismas_tiendas) as tickets_mismas,
        sum(tickets_mismas_tiendas_anterior) as tickets_mismas_antes,
        sum(plan_ventas) as total_ventas_plan,
        sum(plan_ventas_netas) as ventas_netas_plan,
        sum(plan_margen) as margen_plan,
        sum(plan_tickets) as numero_tickets_plan,
        sum(dias_tienda_plan) as dias_tienda_plan
    from {{ ref('mv_ventas_dia_segmento') }}
    where
        cadena = any({{ param('cadena') }}::text[])
        and region = any({{ param('region') }}::text[])
        and formato = any({{ param('formato') }}::text[])
        and (
            fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date
            or fecha between {{ param('antes_desde') }}::date and {{ param('antes_hasta') }}::date
        )
    group by dia, es_periodo

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
    ahora.ventas_mismas,
    ahora.ventas_mismas_antes,
    ahora.tickets_mismas,
    ahora.tickets_mismas_antes,
    ahora.total_ventas_plan,
    ahora.ventas_netas_plan,
    ahora.margen_plan,
    ahora.numero_tickets_plan,
    coalesce(ahora.dias_tienda, 0) as dias_tienda,
    coalesce(ahora.dias_tienda_plan, 0) as dias_tienda_plan
from {{ ref('calendario') }} as dias
left join ventas as ahora on dias.fecha = ahora.dia and ahora.es_periodo
left join ventas as antes on dias.fecha = antes.dia and not antes.es_periodo
where dias.fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date
order by dias.fecha
