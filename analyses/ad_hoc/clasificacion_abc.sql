-- Which products carry the sales: ABC classes over the last twelve full months?
-- A: the products that make the first 80 % of sales, B: up to 95 %, C: the rest. Ties go to the
-- smaller producto_id. Reads retail.agg_ventas_mes_tienda_producto. One row per product sold.

with

ultimo_mes as (

    select max(mes) as mes from {{ ref('agg_ventas_mes_tienda_producto') }}

),

por_producto as (

    select
        producto_id,
        sum(total_ventas) as total_ventas
    from {{ ref('agg_ventas_mes_tienda_producto') }}
    where
        mes >= (select ultimo_mes.mes - interval '12 months' from ultimo_mes)
        and mes < (select ultimo_mes.mes from ultimo_mes)
    group by producto_id

),

acumulado as (

    select
        producto_id,
        total_ventas,
        sum(total_ventas) over (order by total_ventas desc, producto_id)
        / sum(total_ventas) over () as proporcion_acumulada,
        total_ventas / sum(total_ventas) over () as proporcion
    from por_producto

)

select
    productos.nombre_producto,
    productos.categoria,
    acumulado.total_ventas,
    round(100 * acumulado.proporcion_acumulada, 2) as acumulado_pct,
    case
        when acumulado.proporcion_acumulada - acumulado.proporcion < 0.80 then 'A'
        when acumulado.proporcion_acumulada - acumulado.proporcion < 0.95 then 'B'
        else 'C'
    end as clase
from acumulado
inner join {{ ref('dim_producto') }} as productos on acumulado.producto_id = productos.producto_id
order by acumulado.proporcion_acumulada, productos.producto_id
