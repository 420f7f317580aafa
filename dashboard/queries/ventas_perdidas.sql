-- Sales not made for lack of stock in the last 28 days, an estimate. Grain: category.
select
    productos.categoria,
    sum(desempeno.ventas_perdidas) as ventas_perdidas,
    sum(desempeno.ventas_netas) as ventas_netas,
    sum(desempeno.dias_cierre_sin_stock) as dias_cierre_sin_stock,
    sum(desempeno.dias_observados) as dias_observados
from {{ ref('mv_desempeno_producto') }} as desempeno
inner join {{ ref('productos') }} as productos on desempeno.producto_id = productos.producto_id
where
    desempeno.periodo = 'ultimos_28'
    and desempeno.dimension = 'region'
    and desempeno.valor = any({{ param('region') }}::text[])
    and productos.categoria = any({{ param('categoria') }}::text[])
group by productos.categoria
