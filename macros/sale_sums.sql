{#
    SQL: the additive measures of sale lines, as aggregates over `ventas` (lines) joined with `productos` (see
    `product_taxes`). Every amount is rounded by line, so the sums are those of the tickets. Lines of goods by
    weight count one article: kilograms are not added to pieces.
#}
{% macro sale_sums() -%}
    count(*) as lineas,
        sum(
            case
                when productos.es_a_granel or ventas.unidades != trunc(ventas.unidades) then 1
                else ventas.unidades
            end
        )::bigint as articulos,
        sum(ventas.unidades) as unidades,
        sum(round(ventas.unidades * ventas.precio_unitario, 2)) as venta_bruta,
        sum(ventas.total_linea) as total_ventas,
        sum(round(ventas.total_linea / productos.factor_iva, 2)) as ventas_sin_iva,
        sum(round(ventas.unidades * ventas.costo_unitario, 2)) as costo_ventas
{%- endmacro %}
