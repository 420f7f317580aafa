{#
    SQL (query): what the measures need of a product. `factor_iva` turns an amount with value-added tax into one
    without. Four decimals are exact: the rate has two.
#}
{% macro product_taxes() -%}
    select
        producto_id,
        categoria,
        coalesce(unidad_medida = 'kg', false) as es_a_granel,
        round(1 + iva_pct / 100, 4) as factor_iva
    from {{ ref('dim_producto') }}
{%- endmacro %}
