-- Merchandising: the five best-selling products of Electrónica in the region Norte in the last 30
-- days.
-- Answered by retail.mv_product_performance (grain: region and product).

select
    productos.nombre_producto,
    productos.marca,
    desempeno.total_unidades_vendidas,
    desempeno.total_ingresos,
    desempeno.ranking_categoria_region
from {{ ref('mv_product_performance') }} as desempeno
inner join {{ ref('dim_producto') }} as productos on desempeno.producto_id = productos.producto_id
where
    desempeno.region = 'Norte'
    and desempeno.categoria = 'Electrónica'
    and desempeno.ranking_categoria_region <= 5
order by desempeno.ranking_categoria_region
