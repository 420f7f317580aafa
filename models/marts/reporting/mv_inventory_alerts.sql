{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[
        {'columns': ['tienda_id', 'producto_id'], 'unique': true},
        {'columns': ['alerta_inventario', 'tienda_id'], 'where': "alerta_inventario in ('SIN_STOCK', 'STOCK_BAJO')"},
    ],
) }}

-- Grain: one row per store and product in the last stock snapshot up to the cut-off date.
-- Not additive: stock is semi-additive, days of supply are a ratio.
-- Mean daily units: units sold in the 28 days up to the cut-off date / 28. Thresholds per category:
-- umbrales_inventario.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

ultima_foto as (

    select max(fecha) as fecha
    from {{ ref('fact_inventario') }}
    where fecha <= (select corte.fecha_corte from corte)

),

existencias as (

    select * from {{ ref('fact_inventario') }}
    where fecha = (select ultima_foto.fecha from ultima_foto)

),

ventas as (

    select
        tienda_id,
        producto_id,
        sum(unidades) as unidades
    from {{ ref('fact_ventas') }}
    where
        fecha_venta > (select corte.fecha_corte from corte) - 28
        and fecha_venta <= (select corte.fecha_corte from corte)
    group by tienda_id, producto_id

),

productos as (

    select * from {{ ref('dim_producto') }}

),

umbrales as (

    select * from {{ ref('ref_umbral_inventario') }}

),

medidas as (

    select
        existencias.fecha,
        existencias.tienda_id,
        existencias.producto_id,
        existencias.stock_final as stock_actual,
        productos.activo,
        umbrales.dias_minimos,
        umbrales.dias_maximos,
        coalesce(ventas.unidades, 0) as unidades
    from existencias
    inner join productos on existencias.producto_id = productos.producto_id
    left join umbrales on productos.categoria = umbrales.categoria
    left join ventas on
        existencias.tienda_id = ventas.tienda_id
        and existencias.producto_id = ventas.producto_id

),

-- Days of supply = stock / (units / 28). Compared by multiplying, which is exact; only what is
-- shown is rounded.
final as (

    select
        tienda_id,
        producto_id,
        fecha,
        stock_actual,
        round(unidades / 28, 4) as venta_diaria_promedio,
        round(28 * stock_actual / nullif(unidades, 0), 1) as dias_inventario,
        case
            when stock_actual <= 0 and activo then 'SIN_STOCK'
            when
                stock_actual > 0 and 28 * stock_actual < dias_minimos * unidades
                then 'STOCK_BAJO'
            when
                stock_actual > 0 and (28 * stock_actual > dias_maximos * unidades or unidades = 0)
                then 'SOBRESTOCK'
            else 'NORMAL'
        end as alerta_inventario
    from medidas

)

select * from final
order by tienda_id, producto_id
