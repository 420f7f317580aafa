-- How often is the shelf empty: share of store-product-days without stock in four weeks?
-- Reads the daily snapshots of retail.fact_inventario (dias_periodo = 1). One row per category.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

)

select
    productos.categoria,
    count(*) as dias_producto_tienda,
    count(*) filter (where inventario.stock_final <= 0) as dias_sin_stock,
    round(100.0 * count(*) filter (where inventario.stock_final <= 0) / count(*), 2) as quiebre_pct
from {{ ref('fact_inventario') }} as inventario
inner join {{ ref('dim_producto') }} as productos on inventario.producto_id = productos.producto_id
where
    inventario.fecha > (select ultimo_dia.fecha from ultimo_dia) - 28
    and inventario.fecha <= (select ultimo_dia.fecha from ultimo_dia)
    and inventario.dias_periodo = 1
    and productos.activo
group by productos.categoria
order by quiebre_pct desc, productos.categoria
