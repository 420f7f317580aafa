-- How fast do the digital channels grow: share of sales by quarter and channel?
-- Reads retail.agg_ventas_dia_tienda_canal. One row per quarter and channel.

with

por_trimestre as (

    select
        date_trunc('quarter', fecha)::date as trimestre,
        canal,
        sum(total_ventas) as total_ventas,
        sum(numero_tickets) as numero_tickets
    from {{ ref('agg_ventas_dia_tienda_canal') }}
    group by trimestre, canal

)

select
    trimestre,
    canal,
    total_ventas,
    round(total_ventas / numero_tickets, 2) as ticket_promedio,
    round(100 * total_ventas / sum(total_ventas) over (partition by trimestre), 2) as proporcion_pct
from por_trimestre
order by trimestre, canal
