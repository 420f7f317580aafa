-- What do discounts cost and bring: share, depth and units per line by category in 13 weeks?
-- Reads retail.fact_ventas, its last quarter of a year. One row per category.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

por_producto as (

    select
        producto_id,
        descuento_pct > 0 as con_descuento,
        count(*) as lineas,
        sum(unidades) as unidades,
        sum(unidades * precio_unitario) as bruto,
        sum(total_linea) as neto
    from {{ ref('fact_ventas') }}
    where
        fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 91
        and fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)
    group by producto_id, con_descuento

)

select
    productos.categoria,
    round(
        100 * sum(ventas.lineas) filter (where ventas.con_descuento) / sum(ventas.lineas), 2
    ) as lineas_con_descuento_pct,
    round(100 * (1 - sum(ventas.neto) / sum(ventas.bruto)), 2) as descuento_sobre_ventas_pct,
    round(
        sum(ventas.unidades) filter (where ventas.con_descuento)
        / sum(ventas.lineas) filter (where ventas.con_descuento), 3
    ) as unidades_linea_con_descuento,
    round(
        sum(ventas.unidades) filter (where not ventas.con_descuento)
        / sum(ventas.lineas) filter (where not ventas.con_descuento), 3
    ) as unidades_linea_sin_descuento
from por_producto as ventas
inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
group by productos.categoria
order by productos.categoria
