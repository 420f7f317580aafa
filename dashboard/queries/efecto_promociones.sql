-- What promotions that ended in the period brought, the newest first. Grain: promotion.
select
    efectos.promocion_id,
    productos.nombre_producto,
    productos.categoria,
    efectos.formato,
    efectos.fecha_inicio,
    efectos.fecha_fin,
    efectos.descuento_pct / 100 as rebaja,
    efectos.efecto_pct / 100 as efecto,
    efectos.error_pct / 100 as error,
    efectos.efecto_siguientes_pct / 100 as semana_siguiente,
    efectos.margen_cedido,
    efectos.margen_incremental
from {{ ref('mv_efecto_promocion') }} as efectos
inner join {{ ref('productos') }} as productos on efectos.producto_id = productos.producto_id
where
    not efectos.es_parcial
    and efectos.efecto_pct is not null
    and efectos.fecha_fin between {{ param('desde') }}::date and {{ param('hasta') }}::date
    and efectos.formato = any({{ param('formato') }}::text[])
    and productos.categoria = any({{ param('categoria') }}::text[])
order by efectos.fecha_fin desc, efectos.promocion_id
