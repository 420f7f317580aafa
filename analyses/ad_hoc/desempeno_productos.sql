-- Which products earn the shelf they stand on: net sales, margin, turnover and GMROI by ABC and XYZ
-- class over 364 days?
-- A products sell most, X products most steadily; a low GMROI is stock that earns little. Sums
-- first, then ratios. Reads retail.mv_desempeno_producto. One row per pair of classes.

select
    clase_abc,
    coalesce(clase_xyz, 'sin clase') as clase_xyz,
    count(*) as productos,
    sum(ventas_netas) as ventas_netas,
    round(100 * sum(margen) / nullif(sum(ventas_netas), 0), 2) as margen_pct,
    round(364 * sum(costo_ventas) / nullif(sum(dias * valor_inventario_medio), 0), 2) as rotacion,
    round(364 * sum(margen) / nullif(sum(dias * valor_inventario_medio), 0), 2) as gmroi,
    round(100 * sum(ventas_promocion) / nullif(sum(total_ventas), 0), 2) as promocion_pct,
    round(100 * sum(devoluciones) / nullif(sum(total_ventas), 0), 2) as devolucion_pct
from {{ ref('mv_desempeno_producto') }}
where periodo = 'ultimos_364' and dimension = 'total'
group by 1, 2
order by 1, 2
