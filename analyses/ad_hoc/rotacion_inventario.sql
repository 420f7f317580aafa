-- How hard does the stock work: turnover, days of supply and GMROI by category over a year?
-- Turnover = cost of the goods sold / mean stock at cost, over month ends: stock adds up over
-- stores, never over dates. Reads retail.fact_inventario and retail.agg_ventas_mes_tienda_producto.
-- One row per category.

with

hasta as (

    select date_trunc('month', fecha_corte + 1)::date as mes from {{ ref('corte') }}

),

existencias as (

    select
        inventario.fecha,
        productos.categoria,
        sum(inventario.valor_inventario) as valor
    from {{ ref('fact_inventario') }} as inventario
    inner join
        {{ ref('dim_producto') }} as productos
        on inventario.producto_id = productos.producto_id
    where
        inventario.fecha >= (select hasta.mes - interval '12 months' from hasta)
        and inventario.fecha < (select hasta.mes from hasta)
        -- Month ends only: the last two months have a row for each day.
        and inventario.fecha
        = (date_trunc('month', inventario.fecha) + interval '1 month' - interval '1 day')::date
    group by inventario.fecha, productos.categoria

),

existencia_media as (

    select
        categoria,
        avg(valor) as valor
    from existencias
    group by categoria

),

ventas as (

    select
        productos.categoria,
        sum(ventas.costo_ventas) as costo_ventas,
        sum(ventas.margen) as margen
    from {{ ref('agg_ventas_mes_tienda_producto') }} as ventas
    inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
    where
        ventas.mes >= (select hasta.mes - interval '12 months' from hasta)
        and ventas.mes < (select hasta.mes from hasta)
    group by productos.categoria

)

select
    ventas.categoria,
    round(existencia_media.valor, 2) as existencia_media,
    round(ventas.costo_ventas / existencia_media.valor, 2) as rotacion,
    round(365 * existencia_media.valor / ventas.costo_ventas, 1) as dias_inventario,
    round(ventas.margen / existencia_media.valor, 2) as gmroi
from ventas
inner join existencia_media on ventas.categoria = existencia_media.categoria
order by rotacion desc, ventas.categoria
