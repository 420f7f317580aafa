{#
    SQL: the published measures of a row, from the sums `vendido` (`sale_sums`) and `devuelto` (`return_sums`),
    either of which may be missing: goods also come back on days without sales. Only of goods that went back to the
    shelf the margin gets the cost back.
#}
{% macro net_measures() -%}
    coalesce(vendido.lineas, 0) as lineas,
        coalesce(vendido.articulos, 0) as articulos,
        coalesce(vendido.unidades, 0.000) as unidades,
        coalesce(vendido.venta_bruta, 0.00) as venta_bruta,
        coalesce(vendido.venta_bruta - vendido.total_ventas, 0.00) as descuento,
        coalesce(vendido.total_ventas, 0.00) as total_ventas,
        coalesce(vendido.ventas_sin_iva, 0.00) as ventas_sin_iva,
        coalesce(devuelto.devoluciones, 0.00) as devoluciones,
        coalesce(devuelto.devoluciones_sin_iva, 0.00) as devoluciones_sin_iva,
        coalesce(vendido.ventas_sin_iva, 0.00) - coalesce(devuelto.devoluciones_sin_iva, 0.00) as ventas_netas,
        coalesce(vendido.costo_ventas, 0.00) as costo_ventas,
        coalesce(devuelto.costo_devuelto, 0.00) as costo_devuelto,
        coalesce(vendido.ventas_sin_iva, 0.00) - coalesce(devuelto.devoluciones_sin_iva, 0.00)
        - coalesce(vendido.costo_ventas, 0.00) + coalesce(devuelto.costo_devuelto, 0.00) as margen
{%- endmacro %}
