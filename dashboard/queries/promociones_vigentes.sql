-- Promotions that run on the last day of the period. Grain: promotion.
select
    promociones.promocion_id,
    productos.producto_id,
    productos.nombre_producto,
    productos.categoria,
    promociones.formato,
    promociones.fecha_inicio,
    promociones.fecha_fin,
    promociones.descuento_pct / 100 as rebaja,
    promociones.fecha_fin - {{ param('hasta') }}::date as dias_restantes,
    round(productos.precio_lista * (1 - promociones.descuento_pct / 100), 2) as precio_rebajado
from {{ ref('promociones') }} as promociones
inner join {{ ref('productos') }} as productos on promociones.producto_id = productos.producto_id
where
    {{ param('hasta') }}::date between promociones.fecha_inicio and promociones.fecha_fin
    and promociones.formato = any({{ param('formato') }}::text[])
    and productos.categoria = any({{ param('categoria') }}::text[])
order by promociones.fecha_fin, promociones.descuento_pct desc, promociones.promocion_id
