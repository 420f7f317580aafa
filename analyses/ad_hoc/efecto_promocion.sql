-- What do promotions bring and cost: units against what would have been sold, the week after
-- included, by category over two years? Expected: the product's share of its category and format on
-- ordinary days, times what the category's products without promotion sold on the day, so weekday,
-- season, holidays and paydays are in both. Lift = units / expected. error_pct: standard error of
-- the lift, as if units were Poisson. Reads retail.fact_ventas, retail.dim_promocion and, for the
-- price cuts, retail.agg_ventas_dia_region_producto. One row per category.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

vendido as (

    select
        tiendas.formato,
        ventas.producto_id,
        ventas.fecha_venta as fecha,
        sum(ventas.unidades) as unidades
    from {{ ref('fact_ventas') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 2 * 364
        and ventas.fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)
    group by tiendas.formato, ventas.producto_id, ventas.fecha_venta

),

con_esperadas as (
    {{ expected_units('vendido') }}
),

esperado as (

    select
        categoria,
        descuento_pct is not null as en_promocion,
        unidades,
        esperadas
    from con_esperadas
    where not es_ordinario and esperadas is not null

),

costo as (

    select
        productos.categoria,
        sum(ventas.descuento) as descuento
    from {{ ref('agg_ventas_dia_region_producto') }} as ventas
    inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
    where
        ventas.es_promocion
        and ventas.fecha > (select ultimo_dia.fecha from ultimo_dia) - 2 * 364
        and ventas.fecha <= (select ultimo_dia.fecha from ultimo_dia)
    group by productos.categoria

)

select
    esperado.categoria,
    count(*) filter (where esperado.en_promocion) as dias_producto,
    round(sum(esperado.unidades) filter (where esperado.en_promocion), 0) as unidades,
    round(sum(esperado.esperadas) filter (where esperado.en_promocion), 0) as unidades_esperadas,
    round(
        100 * (
            sum(esperado.unidades) filter (where esperado.en_promocion)
            / sum(esperado.esperadas) filter (where esperado.en_promocion) - 1
        ), 1
    ) as efecto_pct,
    round(
        100 * sqrt(sum(esperado.unidades) filter (where esperado.en_promocion))
        / sum(esperado.esperadas) filter (where esperado.en_promocion), 1
    ) as error_pct,
    round(
        100 * (
            sum(esperado.unidades) filter (where not esperado.en_promocion)
            / sum(esperado.esperadas) filter (where not esperado.en_promocion) - 1
        ), 1
    ) as semana_siguiente_pct,
    max(costo.descuento) as descuento
from esperado
inner join costo on esperado.categoria = costo.categoria
group by esperado.categoria
order by esperado.categoria
