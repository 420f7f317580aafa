{# SQL: the additive measures of returns, as aggregates over `devoluciones` joined with `productos`. #}
{% macro return_sums() -%}
    sum(devoluciones.importe) as devoluciones,
        sum(round(devoluciones.importe / productos.factor_iva, 2)) as devoluciones_sin_iva
{%- endmacro %}
