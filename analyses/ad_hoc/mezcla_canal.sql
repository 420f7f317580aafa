-- How fast do the digital channels grow: share of sales by whole quarter and channel? Only quarters
-- of which every day has data. Reads retail.agg_ventas_dia_tienda_canal and, for the first day,
-- retail.agg_ventas_dia_tienda. One row per quarter and channel.

with

trimestres as (
    {{ whole_periods('quarter') }}
),

por_trimestre as (

    select
        date_trunc('quarter', fecha)::date as trimestre,
        canal,
        sum(total_ventas) as total_ventas,
        sum(numero_tickets) as numero_tickets
    from {{ ref('agg_ventas_dia_tienda_canal') }}
    where
        fecha >= (select trimestres.desde from trimestres)
        and fecha < (select trimestres.hasta from trimestres)
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
