{#
    also_rebuild of fact_inventario: the days of quarantined stock rows for which another reason holds now. A product or
    store that was published stays, so a published stock row is never forbidden later.
#}
{% macro stock_to_judge_again(relation) %}
{%- set quarantine = pg_lifecycle.built_relation('cuarentena_inventario') -%}
{%- if quarantine %}
select inventario.fecha as lower
from {{ quarantine }} as inventario
left join {{ ref('dim_producto') }} as productos on inventario.producto_id = productos.producto_id
left join {{ ref('dim_tienda') }} as tiendas on inventario.tienda_id = tiendas.tienda_id
where
    ('PRODUCTO_HUERFANO' = any(inventario.motivos)) != (productos.producto_id is null)
    or ('TIENDA_HUERFANA' = any(inventario.motivos)) != (tiendas.tienda_id is null)
{%- endif %}
{% endmacro %}
