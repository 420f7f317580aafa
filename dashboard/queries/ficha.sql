-- Scorecard of each product over a window that ends on the cut-off date. Grain: product.
select
    productos.producto_id,
    productos.nombre_producto,
    productos.categoria,
    productos.subcategoria,
    desempeno.desde,
    desempeno.hasta,
    desempeno.clase_abc,
    desempeno.clase_xyz,
    desempeno.ventas_netas,
    desempeno.margen_pct / 100 as margen_pct,
    desempeno.gmroi,
    desempeno.rotacion,
    desempeno.dias_inventario,
    desempeno.sell_through_pct / 100 as sell_through,
    desempeno.devolucion_pct / 100 as devolucion,
    desempeno.cierre_sin_stock_pct / 100 as cierre_sin_stock,
    desempeno.dias_observados,
    desempeno.ventas_perdidas
from {{ ref('mv_desempeno_producto') }} as desempeno
inner join {{ ref('productos') }} as productos on desempeno.producto_id = productos.producto_id
where
    desempeno.periodo = {{ param('ventana') }}
    and desempeno.dimension = {{ param('dimension') }}
    and desempeno.valor = {{ param('valor') }}
    and productos.categoria = any({{ param('categoria') }}::text[])
order by desempeno.ventas_netas desc, productos.producto_id
