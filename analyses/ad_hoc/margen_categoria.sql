-- What is earned: gross margin by category and quarter, without value-added tax, after returns?
-- Margin = margen / ventas_netas, as sum / sum; only quarters of which every day has data. Reads
-- retail.agg_ventas_mes_tienda_producto and, for the first day, retail.agg_ventas_dia_tienda. One
-- row per quarter and category.

with

trimestres as (
    {{ whole_periods('quarter') }}
)

select
    date_trunc('quarter', ventas.mes)::date as trimestre,
    productos.categoria,
    sum(ventas.ventas_netas) as ventas_netas,
    sum(ventas.costo_ventas) as costo_ventas,
    sum(ventas.margen) as margen,
    round(100 * sum(ventas.margen) / nullif(sum(ventas.ventas_netas), 0), 2) as margen_pct
from {{ ref('agg_ventas_mes_tienda_producto') }} as ventas
inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
where
    ventas.mes >= (select trimestres.desde from trimestres)
    and ventas.mes < (select trimestres.hasta from trimestres)
group by trimestre, productos.categoria
order by trimestre, productos.categoria
