-- Sales of the period and of the days that it is compared with; whole months of both from the
-- months, a twentieth of the rows. Grain: product.
{% set medidas = [
    'unidades', 'articulos', 'venta_bruta', 'descuento', 'total_ventas', 'ventas_sin_iva',
    'devoluciones_sin_iva', 'ventas_netas', 'margen'
] %}
with

productos as (

    select * from {{ ref('productos') }}
    where categoria = any({{ param('categoria') }}::text[])

),

ventas as (
    {% for prefijo in ['', 'antes_'] %}

        select
            producto_id,
            es_promocion,
            {{ 'true' if not prefijo else 'false' }} as es_periodo,
            {{ medidas | join(', ') }}
        from {{ ref('agg_ventas_mes_region_producto') }}
        where
            region = any({{ param('region') }}::text[])
            and mes between {{ param(prefijo ~ 'meses_desde') }}::date and {{ param(prefijo ~ 'meses_hasta') }}::date
        union all
        select
            producto_id,
            es_promocion,
            {{ 'true' if not prefijo else 'false' }} as es_periodo,
            {{ medidas | join(', ') }}
        from {{ ref('agg_ventas_dia_region_producto') }}
        where
            region = any({{ param('region') }}::text[])
            and fecha between {{ param(prefijo ~ 'desde') }}::date and {{ param(prefijo ~ 'hasta') }}::date
            and (
                fecha < {{ param(prefijo ~ 'meses_desde') }}::date
                or fecha > {{ param(prefijo ~ 'meses_hasta') }}::date
            )
        {{ 'union all' if not loop.last }}
    {%- endfor %}

),

sumas as (

    select
        producto_id,
        {% for medida in medidas %}
            coalesce(sum({{ medida }}) filter (where es_periodo), 0) as {{ medida }},
            coalesce(sum({{ medida }}) filter (where not es_periodo), 0) as {{ medida }}_antes,
        {% endfor %}
        coalesce(sum(total_ventas) filter (where es_periodo and es_promocion), 0) as ventas_promocion
    from ventas
    group by producto_id

)

select
    productos.sku,
    productos.nombre_producto,
    productos.marca,
    productos.categoria,
    productos.subcategoria,
    coalesce(productos.unidad_medida = 'kg', false) as es_a_granel,
    productos.precio_lista,
    productos.activo,
    sumas.*
from productos
inner join sumas on productos.producto_id = sumas.producto_id
order by sumas.ventas_netas desc, productos.producto_id
