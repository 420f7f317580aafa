-- Do stores that existed a year ago sell more, by traffic or by ticket: like-for-like by month? A
-- store counts on a day if its opening month had ended 364 days before and it was open and not in
-- works on both days. Both sides are summed first, zeros included, then compared; whole months
-- only. (1 + traffic) * (1 + ticket) = 1 + growth, exactly. Reads retail.mv_daily_store_sales. One
-- row per month and chain.

with

limites as (

    select date_trunc('month', fecha_corte + 1)::date as hasta from {{ ref('corte') }}

),

por_mes as (

    select
        date_trunc('month', ventas.fecha)::date as mes,
        tiendas.cadena,
        count(distinct ventas.tienda_id) as tiendas,
        sum(ventas.total_ventas) as ventas_hoy,
        sum(ventas.ventas_anno_anterior) as ventas_antes,
        sum(ventas.numero_tickets) as tickets_hoy,
        sum(ventas.tickets_anno_anterior) as tickets_antes
    from {{ ref('mv_daily_store_sales') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.es_mismas_tiendas
        and ventas.fecha >= (select limites.hasta - interval '12 months' from limites)
        and ventas.fecha < (select limites.hasta from limites)
    group by mes, tiendas.cadena

)

select
    mes,
    cadena,
    tiendas,
    round(100 * (ventas_hoy / nullif(ventas_antes, 0) - 1), 2) as crecimiento_pct,
    round(100 * (tickets_hoy / nullif(tickets_antes, 0) - 1), 2) as trafico_pct,
    round(
        100 * (ventas_hoy * tickets_antes / nullif(tickets_hoy * ventas_antes, 0) - 1), 2
    ) as ticket_pct
from por_mes
order by mes, cadena
