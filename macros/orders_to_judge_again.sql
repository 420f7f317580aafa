{# also_rebuild of fact_pedidos: the days of quarantined order lines for which another reason holds now. #}
{% macro orders_to_judge_again(relation) %}
{%- set quarantine = pg_lifecycle.built_relation('cuarentena_pedidos') -%}
{%- if quarantine %}
select pedidos.fecha_pedido as lower
from {{ quarantine }} as pedidos
left join {{ ref('dim_producto') }} as productos on pedidos.producto_id = productos.producto_id
left join {{ ref('dim_tienda') }} as tiendas on pedidos.tienda_id = tiendas.tienda_id
where
    ('PRODUCTO_HUERFANO' = any(pedidos.motivos)) != (productos.producto_id is null)
    or ('TIENDA_HUERFANA' = any(pedidos.motivos)) != (tiendas.tienda_id is null)
{%- endif %}
{% endmacro %}
