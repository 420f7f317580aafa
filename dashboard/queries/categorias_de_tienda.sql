-- What one store sells, and sold on the days that the period is compared with; whole months of both
-- from the months, other days from the lines, which nothing adds up by store, day and product.
-- Grain: category.
with

partes as (

    select
        producto_id,
        mes >= {{ param('desde') }}::date as es_periodo,
        total_ventas
    from {{ ref('agg_ventas_mes_tienda_producto') }}
    where
        tienda_id = {{ param('tienda') }}::integer
        and (
            mes between {{ param('meses_desde') }}::date and {{ param('meses_hasta') }}::date
            or mes between {{ param('antes_meses_desde') }}::date and {{ param('antes_meses_hasta') }}::date
        )
    union all
    select
        producto_id,
        fecha_venta >= {{ param('desde') }}::date as es_periodo,
        sum(total_linea) as total_ventas
    from {{ ref('ventas') }}
    where
        tienda_id = {{ param('tienda') }}::integer
        and (
            fecha_venta between {{ param('desde') }}::date and {{ param('meses_desde') }}::date - 1
            or fecha_venta between {{ param('meses_hasta') }}::date + 1 and {{ param('hasta') }}::date
            or fecha_venta between {{ param('antes_desde') }}::date and {{ param('antes_meses_desde') }}::date - 1
            or fecha_venta between {{ param('antes_meses_hasta') }}::date + 1 and {{ param('antes_hasta') }}::date
        )
    group by producto_id, es_periodo

)

select
    productos.categoria,
    sum(partes.total_ventas) filter (where partes.es_periodo) as total_ventas,
    sum(partes.total_ventas) filter (where not partes.es_periodo) as total_ventas_antes
from partes
inner join {{ ref('productos') }} as productos on partes.producto_id = productos.producto_id
group by productos.categoria
order by total_ventas desc nulls last
