{# SQL: the additive measures of returns, as aggregates over `devoluciones` joined with `productos`. #}
{% macro return_sums() -%}
    sum(devoluciones.importe) as devoluciones,
        sum(round(devoluciones.importe / productos.factor_iva, 2)) as devoluciones_sin_iva,
        coalesce(
            sum(round(devoluciones.unidades * devoluciones.costo_unitario, 2))
            filter (where devoluciones.reingresa),
            0.00
        ) as costo_devuelto
{%- endmacro %}
