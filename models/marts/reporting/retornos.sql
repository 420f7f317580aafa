{{ config(materialized='view') }}

-- Grain: one row per month (mes), dimension and member (valor) with sales or returns. Returns count
-- in the month in which they come back; by reason (motivo) they are compared with all sales.
-- Additive over months and the members of a dimension: counts and amounts (by reason not what was
-- sold). Rates are sum / sum: add the parts up, then divide.
-- A view: what is asked of one month reads one partition of the sums. Hence not materialized: a CTE
-- that is read twice would be built for all months. Sales by product and sales by store are read
-- apart, from small sums, instead of by store and product.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

productos as (
    {{ product_taxes() }}
),

vendido_por_producto as not materialized (

    select
        ventas.mes,
        ventas.producto_id,
        productos.categoria,
        ventas.lineas,
        ventas.articulos,
        ventas.total_ventas
    from {{ ref('agg_ventas_mes_region_producto') }} as ventas
    inner join productos on ventas.producto_id = productos.producto_id

),

vendido_por_tienda as not materialized (

    select
        ventas.mes,
        ventas.tienda_id,
        tiendas.formato,
        ventas.lineas,
        ventas.articulos,
        ventas.total_ventas
    from {{ ref('agg_ventas_mes_tienda_canal') }} as ventas
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id

),

-- An article as in articulos: goods by weight count one a line.
devuelto as not materialized (

    select
        date_trunc('month', devoluciones.fecha_devolucion)::date as mes,
        devoluciones.tienda_id,
        devoluciones.producto_id,
        devoluciones.reingresa,
        devoluciones.importe,
        productos.categoria,
        tiendas.formato,
        coalesce(devoluciones.motivo, 'sin motivo') as motivo,
        case
            when
                productos.es_a_granel or devoluciones.unidades != trunc(devoluciones.unidades)
                then 1
            else devoluciones.unidades
        end as articulos
    from {{ ref('fact_devoluciones') }} as devoluciones
    inner join productos on devoluciones.producto_id = productos.producto_id
    inner join tiendas on devoluciones.tienda_id = tiendas.tienda_id

),

final as (
    {{ return_rates() }}
)

select * from final
