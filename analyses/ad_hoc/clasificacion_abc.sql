-- Which products carry the sales: ABC classes over the last twelve full months?
-- A: the products that make the first 80 % of net sales, B: up to 95 %, C: the rest. Ties go to the
-- smaller producto_id. Reads retail.agg_ventas_mes_tienda_producto. One row per product sold.

with

hasta as (

    select date_trunc('month', fecha_corte + 1)::date as mes from {{ ref('corte') }}

),

por_producto as (

    select
        producto_id,
        sum(ventas_netas) as ventas_netas
    from {{ ref('agg_ventas_mes_tienda_producto') }}
    where
        mes >= (select hasta.mes - interval '12 months' from hasta)
        and mes < (select hasta.mes from hasta)
    group by producto_id

),

acumulado as (

    select
        producto_id,
        ventas_netas,
        sum(ventas_netas) over (order by ventas_netas desc, producto_id)
        / sum(ventas_netas) over () as proporcion_acumulada,
        ventas_netas / sum(ventas_netas) over () as proporcion
    from por_producto

)

select
    productos.nombre_producto,
    productos.categoria,
    acumulado.ventas_netas,
    round(100 * acumulado.proporcion_acumulada, 2) as acumulado_pct,
    case
        when acumulado.proporcion_acumulada - acumulado.proporcion < 0.80 then 'A'
        when acumulado.proporcion_acumulada - acumulado.proporcion < 0.95 then 'B'
        else 'C'
    end as clase
from acumulado
inner join {{ ref('dim_producto') }} as productos on acumulado.producto_id = productos.producto_id
order by acumulado.proporcion_acumulada, productos.producto_id
