-- Do stores that existed a year ago sell more, by traffic or by ticket: like-for-like by month?
-- Comparable: open for 12 full months before the day compared, neither closed nor being remodelled
-- since. (1 + traffic) * (1 + ticket) = 1 + growth, exactly. Reads retail.agg_ventas_dia_tienda.
-- One row per month and chain.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

ventas as (

    select
        ventas.fecha,
        ventas.tienda_id,
        tiendas.cadena,
        ventas.total_ventas,
        ventas.numero_tickets
    from {{ ref('agg_ventas_dia_tienda') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha > (select ultimo_dia.fecha from ultimo_dia) - 2 * 364
        and ventas.fecha <= (select ultimo_dia.fecha from ultimo_dia)
        and tiendas.fecha_apertura <= ventas.fecha - interval '12 months'
        and tiendas.fecha_cierre is null
        and (
            tiendas.fecha_remodelacion is null
            or tiendas.fecha_remodelacion < (select ultimo_dia.fecha from ultimo_dia) - 3 * 364
        )

),

por_mes as (

    select
        date_trunc('month', hoy.fecha)::date as mes,
        hoy.cadena,
        count(distinct hoy.tienda_id) as tiendas,
        sum(hoy.total_ventas) as ventas_hoy,
        sum(antes.total_ventas) as ventas_antes,
        sum(hoy.numero_tickets) as tickets_hoy,
        sum(antes.numero_tickets) as tickets_antes
    from ventas as hoy
    inner join ventas as antes
        on
            hoy.fecha - 364 = antes.fecha
            and hoy.tienda_id = antes.tienda_id
    group by mes, hoy.cadena

)

select
    mes,
    cadena,
    tiendas,
    round(100 * (ventas_hoy / ventas_antes - 1), 2) as crecimiento_pct,
    round(100 * (tickets_hoy / tickets_antes - 1), 2) as trafico_pct,
    round(100 * ((ventas_hoy / tickets_hoy) / (ventas_antes / tickets_antes) - 1), 2) as ticket_pct
from por_mes
order by mes, cadena
