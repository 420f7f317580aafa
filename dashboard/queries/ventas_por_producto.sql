-- Sales of the period and of the days that it is compared with. Grain: product.
with

productos as (

    select * from {{ ref('productos') }}
    where categoria = any({{ param('categoria') }}::text[])

),

ventas as (

    select
        producto_id,
        es_promocion,
        unidades,
        articulos,
        venta_bruta,
        descuento,
        total_ventas,
        ventas_netas,
        margen,
        fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date as es_periodo,
        fecha between {{ param('antes_desde') }}::date and {{ param('antes_hasta') }}::date as es_anterior
    from {{ ref('agg_ventas_dia_region_producto') }}
    where
        region = any({{ param('region') }}::text[])
        and (
            fecha between {{ param('desde') }}::date and {{ param('hasta') }}::date
            or fecha between {{ param('antes_desde') }}::date and {{ param('antes_hasta') }}::date
        )

),

sumas as (

    select
        producto_id,
        {% for medida in [
            'unidades', 'articulos', 'venta_bruta', 'descuento', 'total_ventas', 'ventas_netas', 'margen'
        ] %}
            coalesce(sum({{ medida }}) filter (where es_periodo), 0) as {{ medida }},
            coalesce(sum({{ medida }}) filter (where es_anterior), 0) as {{ medida }}_antes,
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
