-- How strongly do units react to promotions: elasticity by product and format? -2 means that one
-- percent off sells two percent more. List prices apart: elasticidad_precio_lista. Units of each
-- depth of discount against what would have been sold (as in efecto_promocion: weekday, season and
-- events are in both), then ln(units / expected) on ln(1 - discount) through the origin, weighted
-- by what is expected; standard error as if units were Poisson. Reads retail.dim_promocion and all
-- of retail.fact_ventas: promotions are few. One row per product and format with 30 or more days in
-- promotion.

with

vendido as (

    select
        tiendas.formato,
        ventas.producto_id,
        ventas.fecha_venta as fecha,
        sum(ventas.unidades) as unidades
    from {{ ref('fact_ventas') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    group by tiendas.formato, ventas.producto_id, ventas.fecha_venta

),

con_esperadas as (
    {{ expected_units('vendido') }}
),

por_descuento as (

    select
        formato,
        producto_id,
        count(*) as dias,
        sum(unidades) as unidades,
        sum(esperadas) as esperadas,
        ln(1 - descuento_pct / 100) as ln_precio
    from con_esperadas
    where descuento_pct is not null and esperadas is not null
    group by formato, producto_id, descuento_pct
    having sum(unidades) > 0 and sum(esperadas) > 0

)

select
    productos.categoria,
    productos.nombre_producto,
    por_descuento.producto_id,
    por_descuento.formato,
    sum(por_descuento.dias) as dias_en_promocion,
    round(
        sum(
            por_descuento.esperadas
            * ln(por_descuento.unidades / por_descuento.esperadas) * por_descuento.ln_precio
        )
        / sum(por_descuento.esperadas * por_descuento.ln_precio * por_descuento.ln_precio), 2
    ) as elasticidad,
    round(
        1 / sqrt(
            sum(por_descuento.unidades * por_descuento.ln_precio * por_descuento.ln_precio)
        ), 2
    ) as error_estandar
from por_descuento
inner join
    {{ ref('dim_producto') }} as productos
    on por_descuento.producto_id = productos.producto_id
group by
    productos.categoria, productos.nombre_producto, por_descuento.producto_id, por_descuento.formato
having sum(por_descuento.dias) >= 30
order by productos.categoria, por_descuento.producto_id, por_descuento.formato
