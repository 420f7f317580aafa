-- What do empty shelves cost: sales lost in 28 days, by category and region?
-- An estimate: demand on days with stock * price without tax * days without stock, of
-- dias_observados days of stores. Days that ended empty and whole days without stock are two
-- measures. Reads retail.mv_desempeno_producto. One row per category and region.

select
    productos.categoria,
    desempeno.valor as region,
    sum(desempeno.dias_observados) as dias_observados,
    round(
        100.0 * sum(desempeno.dias_cierre_sin_stock) / nullif(sum(desempeno.dias_observados), 0), 2
    ) as cierre_sin_stock_pct,
    round(
        100.0 * sum(desempeno.dias_completos_sin_stock)
        / nullif(sum(desempeno.dias_observados), 0), 2
    ) as dia_completo_sin_stock_pct,
    sum(desempeno.ventas_perdidas) as ventas_perdidas,
    round(
        100 * sum(desempeno.unidades_perdidas)
        / nullif(sum(desempeno.salidas_observadas + desempeno.unidades_perdidas), 0), 2
    ) as unidades_perdidas_pct
from {{ ref('mv_desempeno_producto') }} as desempeno
inner join {{ ref('dim_producto') }} as productos on desempeno.producto_id = productos.producto_id
where desempeno.periodo = 'ultimos_28' and desempeno.dimension = 'region'
group by productos.categoria, desempeno.valor
order by ventas_perdidas desc, productos.categoria, desempeno.valor
