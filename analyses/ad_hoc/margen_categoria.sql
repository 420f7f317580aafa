-- What is earned: gross margin by category and quarter, without value-added tax?
-- Margin = (sales without VAT - cost of the goods) / sales without VAT, as sum / sum. Reads
-- retail.agg_ventas_mes_tienda_producto. One row per quarter and category.

with

por_trimestre as (

    select
        date_trunc('quarter', ventas.mes)::date as trimestre,
        productos.categoria,
        sum(ventas.total_ventas / (1 + productos.iva_pct / 100)) as ventas_sin_iva,
        sum(ventas.costo_ventas) as costo_ventas
    from {{ ref('agg_ventas_mes_tienda_producto') }} as ventas
    inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
    group by trimestre, productos.categoria

)

select
    trimestre,
    categoria,
    round(ventas_sin_iva, 2) as ventas_sin_iva,
    costo_ventas,
    round(100 * (ventas_sin_iva - costo_ventas) / ventas_sin_iva, 2) as margen_pct
from por_trimestre
order by trimestre, categoria
