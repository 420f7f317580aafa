{{ config(materialized='view') }}

-- Grain: one row per month (mes), format and category with sales or returns.
-- Additive over all three: amounts. Not additive: percentages, which are sum / sum.
-- A view: a month of it reads one partition of the sums by store and product.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

primer_dia as (

    select min(fecha) as fecha from {{ ref('agg_ventas_dia_tienda') }}

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

productos as (
    {{ product_taxes() }}
),

-- The discount without value-added tax is rounded once a row: the lines are not here.
por_producto as (

    select
        ventas.mes,
        tiendas.formato,
        productos.categoria,
        sum(ventas.venta_bruta) as venta_bruta,
        sum(ventas.descuento) as descuento,
        sum(ventas.descuento) / productos.factor_iva as descuento_sin_iva,
        sum(ventas.total_ventas) as total_ventas,
        sum(ventas.ventas_netas) as ventas_netas,
        sum(ventas.margen) as margen
    from {{ ref('agg_ventas_mes_tienda_producto') }} as ventas
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id
    inner join productos on ventas.producto_id = productos.producto_id
    group by ventas.mes, tiendas.formato, productos.categoria, productos.factor_iva

),

sumas as (

    select
        mes,
        formato,
        categoria,
        sum(venta_bruta) as venta_bruta,
        sum(descuento) as descuento,
        round(sum(descuento_sin_iva), 2) as margen_cedido,
        sum(total_ventas) as total_ventas,
        sum(ventas_netas) as ventas_netas,
        sum(margen) as margen
    from por_producto
    group by mes, formato, categoria

),

final as (

    select
        sumas.mes,
        sumas.formato,
        sumas.categoria,
        (sumas.mes + interval '1 month')::date - 1 > corte.fecha_corte
        or sumas.mes < (select primer_dia.fecha from primer_dia) as es_parcial,
        {% for name in [
            'venta_bruta', 'descuento', 'total_ventas', 'ventas_netas', 'margen', 'margen_cedido'
        ] -%}
            sumas.{{ name }}::numeric(16, 2) as {{ name }},
        {% endfor -%}
        (100 * sumas.descuento / nullif(sumas.venta_bruta, 0))::numeric(12, 2) as descuento_pct,
        (
            100 * sumas.descuento / nullif(sum(sumas.descuento) over (partition by sumas.mes), 0)
        )::numeric(12, 2) as participacion_pct,
        (100 * sumas.margen / nullif(sumas.ventas_netas, 0))::numeric(12, 2) as margen_pct,
        (
            100 * (sumas.margen + sumas.margen_cedido)
            / nullif(sumas.ventas_netas + sumas.margen_cedido, 0)
        )::numeric(12, 2) as margen_sin_rebaja_pct
    from sumas
    cross join corte

)

select * from final
