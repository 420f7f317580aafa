{#
    SQL (query): what was sold of each product in the stores of a format on the days that mv_efecto_promocion looks at
    (91, and 28 before), and what its promoted lines gave away and earned.
#}
{% macro promotion_sales() -%}
    select
        tiendas.formato,
        ventas.producto_id,
        ventas.fecha_venta as fecha,
        sum(ventas.unidades)::float8 as unidades,
        sum(ventas.unidades * ventas.unidades)::float8 as cuadrados,
        sum(ventas.unidades) filter (where ventas.descuento_pct > 0) as rebajadas,
        {{ _promoted('round(ventas.unidades * ventas.precio_unitario, 2) - ventas.total_linea') }} as descuento,
        {{ _promoted(
            'round(round(ventas.unidades * ventas.precio_unitario, 2) / productos.factor_iva, 2)'
            ~ ' - round(ventas.total_linea / productos.factor_iva, 2)'
        ) }} as margen_cedido,
        {{ _promoted(
            'round(ventas.total_linea / productos.factor_iva, 2)'
            ~ ' - round(ventas.unidades * ventas.costo_unitario, 2)'
        ) }} as margen
    from {{ ref('fact_ventas') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    inner join productos on ventas.producto_id = productos.producto_id
    where
        ventas.fecha_venta > (select corte.fecha_corte from corte) - 91 - 28
        and ventas.fecha_venta <= (select corte.fecha_corte from corte)
    group by tiendas.formato, ventas.producto_id, ventas.fecha_venta
{%- endmacro %}


{# SQL: the sum of an amount over the lines of promotions; null if there are none. #}
{% macro _promoted(amount) -%}
    sum({{ amount }}) filter (where ventas.descuento_pct > 0)
{%- endmacro %}
