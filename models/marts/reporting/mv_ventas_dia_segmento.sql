{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[{'columns': ['fecha', 'cadena', 'region', 'formato'], 'unique': true}],
) }}

-- Grain: one row per day and segment, the open stores of one chain, region and format: the days of
-- `years_in_views` years, those that they are compared with, and the days of the plan.
-- Additive: every column but the keys. A year of the chain's days is a few thousand rows here.

with

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

ventas as (

    select
        ventas.fecha,
        tiendas.cadena,
        tiendas.region,
        tiendas.formato,
        count(*) filter (where ventas.es_dia_abierto) as dias_tienda,
        sum(ventas.numero_tickets)::bigint as numero_tickets,
        sum(ventas.articulos)::bigint as articulos,
        sum(ventas.total_ventas) as total_ventas,
        sum(ventas.ventas_netas) as ventas_netas,
        sum(ventas.margen) as margen
    from {{ ref('agg_ventas_dia_tienda') }} as ventas
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id
    where ventas.fecha >= {{ first_date_in_views() }} - 366
    group by ventas.fecha, tiendas.cadena, tiendas.region, tiendas.formato

),

mismas as (

    select
        mismas.fecha,
        tiendas.cadena,
        tiendas.region,
        tiendas.formato,
        sum(mismas.total_ventas) as ventas_mismas_tiendas,
        sum(mismas.ventas_anno_anterior) as ventas_mismas_tiendas_anterior,
        sum(mismas.numero_tickets)::bigint as tickets_mismas_tiendas,
        sum(mismas.tickets_anno_anterior)::bigint as tickets_mismas_tiendas_anterior
    from {{ ref('mv_daily_store_sales') }} as mismas
    inner join tiendas on mismas.tienda_id = tiendas.tienda_id
    where mismas.es_mismas_tiendas
    group by mismas.fecha, tiendas.cadena, tiendas.region, tiendas.formato

),

plan as (

    select
        plan.fecha,
        tiendas.cadena,
        tiendas.region,
        tiendas.formato,
        count(*) as dias_tienda_plan,
        sum(plan.base_ventas) as base_ventas,
        sum(plan.plan_ventas) filter (where plan.base_ventas is not null) as plan_ventas_con_base,
        sum(plan.plan_ventas) as plan_ventas,
        sum(plan.plan_ventas_netas) as plan_ventas_netas,
        sum(plan.plan_margen) as plan_margen,
        sum(plan.plan_tickets) as plan_tickets
    from {{ ref('mv_plan_ventas') }} as plan
    inner join tiendas on plan.tienda_id = tiendas.tienda_id
    group by plan.fecha, tiendas.cadena, tiendas.region, tiendas.formato

),

-- A store that compares or has a plan was open, but the plan goes on to the end of the year.
final as (

    select
        coalesce(ventas.fecha, plan.fecha) as fecha,
        coalesce(ventas.cadena, plan.cadena) as cadena,
        coalesce(ventas.region, plan.region) as region,
        coalesce(ventas.formato, plan.formato) as formato,
        ventas.dias_tienda,
        ventas.numero_tickets,
        ventas.articulos,
        ventas.total_ventas,
        ventas.ventas_netas,
        ventas.margen,
        mismas.ventas_mismas_tiendas,
        mismas.ventas_mismas_tiendas_anterior,
        mismas.tickets_mismas_tiendas,
        mismas.tickets_mismas_tiendas_anterior,
        plan.dias_tienda_plan,
        plan.base_ventas,
        plan.plan_ventas_con_base,
        plan.plan_ventas,
        plan.plan_ventas_netas,
        plan.plan_margen,
        plan.plan_tickets
    from ventas
    left join mismas
        on
            ventas.fecha = mismas.fecha
            and ventas.cadena = mismas.cadena
            and ventas.region = mismas.region
            and ventas.formato = mismas.formato
    full join plan
        on
            ventas.fecha = plan.fecha
            and ventas.cadena = plan.cadena
            and ventas.region = plan.region
            and ventas.formato = plan.formato

)

select * from final
order by fecha, cadena, region, formato
