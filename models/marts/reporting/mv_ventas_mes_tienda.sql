{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[{'columns': ['mes', 'tienda_id'], 'unique': true}],
) }}

-- Grain: one row per month and store that was open or is planned to be: the months of
-- `years_in_views` years, those that they are compared with, and the months of the plan.
-- Additive: every column but the keys and es_parcial. The last month with sales goes as far as they
-- do, its like-for-like to the cut-off date.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

primer_dia as (

    select min(fecha) as fecha from {{ ref('agg_ventas_dia_tienda') }}

),

ventas as (

    select
        tienda_id,
        date_trunc('month', fecha)::date as mes,
        count(*) filter (where es_dia_abierto) as dias_tienda,
        sum(numero_tickets)::bigint as numero_tickets,
        sum(total_ventas) as total_ventas,
        sum(ventas_netas) as ventas_netas,
        sum(margen) as margen
    from {{ ref('agg_ventas_dia_tienda') }}
    where fecha >= date_trunc('month', {{ first_date_in_views() }} - 366)
    group by mes, tienda_id

),

-- The first month of the daily view is no whole one.
mismas as (

    select
        tienda_id,
        date_trunc('month', fecha)::date as mes,
        sum(total_ventas) as ventas_mismas_tiendas,
        sum(ventas_anno_anterior) as ventas_mismas_tiendas_anterior
    from {{ ref('mv_daily_store_sales') }}
    where es_mismas_tiendas and date_trunc('month', fecha) >= {{ first_date_in_views() }}
    group by mes, tienda_id

),

plan as (

    select
        tienda_id,
        date_trunc('month', fecha)::date as mes,
        count(*) as dias_tienda_plan,
        sum(plan_ventas) as plan_ventas
    from {{ ref('mv_plan_ventas') }}
    group by mes, tienda_id

),

final as (

    select
        coalesce(ventas.mes, plan.mes) as mes,
        coalesce(ventas.tienda_id, plan.tienda_id) as tienda_id,
        coalesce(ventas.mes, plan.mes) + interval '1 month' > corte.fecha_corte + 1
        or coalesce(ventas.mes, plan.mes) < primer_dia.fecha as es_parcial,
        ventas.dias_tienda,
        ventas.numero_tickets,
        ventas.total_ventas,
        ventas.ventas_netas,
        ventas.margen,
        mismas.ventas_mismas_tiendas,
        mismas.ventas_mismas_tiendas_anterior,
        plan.dias_tienda_plan,
        plan.plan_ventas
    from ventas
    left join mismas
        on
            ventas.mes = mismas.mes
            and ventas.tienda_id = mismas.tienda_id
    full join plan
        on
            ventas.mes = plan.mes
            and ventas.tienda_id = plan.tienda_id
    cross join corte
    cross join primer_dia

)

select * from final
order by mes, tienda_id
