{# also_rebuild of fact_ventas: the days of quarantined lines whose product or store has arrived, or lives that day. #}
{% macro sales_to_judge_again(relation) %}
{%- set quarantine = pg_lifecycle.built_relation('cuarentena_ventas') -%}
{%- if quarantine %}
select ventas.fecha_venta as lower
from {{ quarantine }} as ventas
left join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
left join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
where
    ('PRODUCTO_HUERFANO' = any(ventas.motivos) and productos.producto_id is not null)
    or ('TIENDA_HUERFANA' = any(ventas.motivos) and tiendas.tienda_id is not null)
    or (
        'FUERA_DE_VIDA_DE_TIENDA' = any(ventas.motivos)
        and ventas.fecha_venta >= tiendas.fecha_apertura
        and ventas.fecha_venta <= coalesce(tiendas.fecha_cierre, 'infinity')
    )
    or (
        'FUERA_DE_VIDA_DE_PRODUCTO' = any(ventas.motivos)
        and ventas.fecha_venta >= productos.fecha_lanzamiento
        and ventas.fecha_venta <= coalesce(productos.fecha_retiro, 'infinity')
    )
{%- endif %}
{% endmacro %}
