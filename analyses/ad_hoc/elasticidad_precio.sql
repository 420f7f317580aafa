-- How strongly do units react to price: elasticity by product over the last 52 weeks?
-- Slope of ln(units) on ln(price paid) over the weeks: -2 means that one percent off sells two
-- percent more. Season and promotions' advertising are not taken out, so it is a first look, not a
-- causal estimate. Reads retail.fact_ventas, its last year. One row per product whose price moved
-- by 3 % or more.

with

ultimo_dia as (

    select max(fecha) as fecha from {{ ref('agg_ventas_dia_tienda') }}

),

por_semana as (

    select
        producto_id,
        floor(((select ultimo_dia.fecha from ultimo_dia) - fecha_venta) / 7.0) as semanas_atras,
        ln(sum(unidades)) as ln_unidades,
        ln(sum(total_linea) / sum(unidades)) as ln_precio
    from {{ ref('fact_ventas') }}
    where
        fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 364
        and fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)
        and total_linea > 0
    group by producto_id, semanas_atras

),

por_producto as (

    select
        producto_id,
        count(*) as semanas,
        regr_slope(ln_unidades, ln_precio) as elasticidad,
        regr_r2(ln_unidades, ln_precio) as r2
    from por_semana
    group by producto_id
    having count(*) >= 26 and stddev_samp(ln_precio) >= 0.03

)

select
    productos.categoria,
    productos.nombre_producto,
    por_producto.semanas,
    round(por_producto.elasticidad::numeric, 2) as elasticidad,
    round(por_producto.r2::numeric, 2) as r2
from por_producto
inner join
    {{ ref('dim_producto') }} as productos
    on por_producto.producto_id = productos.producto_id
order by por_producto.elasticidad, productos.producto_id
