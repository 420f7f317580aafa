{#
    SQL (query): the parts of the change of net sales of each group of products, rounded to cents, from products with
    units, sales without tax and returns without tax now (u1, r1, d1) and before (u0, r0, d0) by period and region. By
    category and 'Total'.

    With units U and price P = R / U of the products sold in both periods: volume = (sum U1 - sum U0) x sum R0 /
    sum U0, mix = sum of (U1 - U0 x sum U1 / sum U0) x P0, price = sum of U1 x (P1 - P0). Goods by weight are a group
    of their own, whose parts are added to those of the others. Returns are a part of their own (devuelto): what came
    back lowers no price.
#}
{% macro bridge_effects(products) -%}
    select
        periodo,
        desde,
        region,
        categoria,
        sum(ventas_netas) as ventas_netas,
        sum(ventas_netas_anterior) as ventas_netas_anterior,
        round(coalesce(sum(r0 * u1 / nullif(u0, 0) - r0), 0), 2) as volumen,
        round(coalesce(sum(a_precios_anteriores - r0 * u1 / nullif(u0, 0)), 0), 2) as mezcla,
        round(coalesce(sum(r1 - a_precios_anteriores), 0), 2) as precio,
        sum(nuevos) as nuevos,
        sum(descontinuados) as descontinuados,
        sum(devuelto) as devuelto,
        sum(productos)::integer as productos,
        sum(productos_nuevos)::integer as productos_nuevos,
        sum(productos_descontinuados)::integer as productos_descontinuados
    from (
        select
            ventas.periodo,
            ventas.desde,
            ventas.region,
            coalesce(productos.categoria, 'Total') as categoria,
            sum(ventas.r1 - ventas.d1) as ventas_netas,
            sum(ventas.r0 - ventas.d0) as ventas_netas_anterior,
            sum(ventas.u1) filter (where {{ _in_both() }}) as u1,
            sum(ventas.u0) filter (where {{ _in_both() }}) as u0,
            sum(ventas.r1) filter (where {{ _in_both() }}) as r1,
            sum(ventas.r0) filter (where {{ _in_both() }}) as r0,
            sum(ventas.u1 * ventas.r0 / ventas.u0) filter (where {{ _in_both() }}) as a_precios_anteriores,
            coalesce(sum(ventas.r1 - ventas.r0) filter (where ventas.u0 = 0), 0) as nuevos,
            coalesce(sum(ventas.r1 - ventas.r0) filter (where ventas.u0 > 0 and ventas.u1 = 0), 0) as descontinuados,
            sum(ventas.d0 - ventas.d1) as devuelto,
            count(*) filter (where {{ _in_both() }}) as productos,
            count(*) filter (where ventas.u0 = 0 and ventas.u1 > 0) as productos_nuevos,
            count(*) filter (where ventas.u0 > 0 and ventas.u1 = 0) as productos_descontinuados
        from {{ products }} as ventas
        inner join ({{ product_taxes() }}) as productos on ventas.producto_id = productos.producto_id
        group by
            ventas.periodo, ventas.desde, ventas.region, productos.es_a_granel,
            grouping sets ((productos.categoria), ())
    ) as grupos
    group by periodo, desde, region, categoria
{%- endmacro %}


{# SQL (boolean): the product was sold in both periods. #}
{% macro _in_both() -%}
    ventas.u0 > 0 and ventas.u1 > 0
{%- endmacro %}
