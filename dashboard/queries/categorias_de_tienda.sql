-- What one store sells, in the months of the period. Grain: category.
with

productos as (

    select
        producto_id,
        categoria
    from {{ ref('productos') }}

),

ventas as (

    select
        producto_id,
        sum(total_ventas) filter (where mes >= date_trunc('month', {{ param('desde') }}::date)) as total_ventas,
        sum(total_ventas) filter (
            where mes < date_trunc('month', {{ param('desde') }}::date)
        ) as total_ventas_antes
    from {{ ref('agg_ventas_mes_tienda_producto') }}
    where
        tienda_id = {{ param('tienda') }}::integer
        and (
            mes between date_trunc('month', {{ param('desde') }}::date)::date and {{ param('hasta') }}::date
            or mes between (date_trunc('month', {{ param('desde') }}::date) - interval '1 year')::date
            and ({{ param('hasta') }}::date - interval '1 year')::date
        )
    group by producto_id

)

select
    productos.categoria,
    sum(ventas.total_ventas) as total_ventas,
    sum(ventas.total_ventas_antes) as total_ventas_antes
from ventas
inner join productos on ventas.producto_id = productos.producto_id
group by productos.categoria
order by total_ventas desc nulls last
