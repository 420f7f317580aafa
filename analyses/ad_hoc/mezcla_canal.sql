-- How fast do the digital channels grow: share of sales by whole quarter and channel?
-- Reads retail.agg_ventas_dia_tienda_canal. One row per quarter and channel.

with

hasta as (

    select date_trunc('quarter', fecha_corte + 1)::date as fecha from {{ ref('corte') }}

),

por_trimestre as (

    select
        date_trunc('quarter', fecha)::date as trimestre,
        canal,
        sum(total_ventas) as total_ventas,
        sum(numero_tickets) as numero_tickets
    from {{ ref('agg_ventas_dia_tienda_canal') }}
    where fecha < (select hasta.fecha from hasta)
    group by trimestre, canal

)

select
    trimestre,
    canal,
    total_ventas,
    round(total_ventas / nullif(numero_tickets, 0), 2) as ticket_promedio,
    round(100 * total_ventas / sum(total_ventas) over (partition by trimestre), 2) as proporcion_pct
from por_trimestre
order by trimestre, canal
