{{ config(severity='warn') }}

-- Every store that trades has sales in the last three days up to the cut-off date: one that has
-- none probably stopped sending. Warns with the store and its last day with sales.

with

ventas as (

    select
        tienda_id,
        max(fecha) as ultima_fecha
    from {{ ref('agg_ventas_dia_tienda') }}
    where fecha > {{ fecha_corte() }} - 60
    group by tienda_id

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

)

select
    tiendas.tienda_id,
    tiendas.nombre_tienda,
    ventas.ultima_fecha,
    {{ fecha_corte() }} - ventas.ultima_fecha as dias_sin_ventas
from tiendas
left join ventas on tiendas.tienda_id = ventas.tienda_id
where
    tiendas.activo
    and tiendas.fecha_apertura <= {{ fecha_corte() }} - 3
    and coalesce(tiendas.fecha_cierre, 'infinity') > {{ fecha_corte() }}
    and coalesce(ventas.ultima_fecha, '-infinity') <= {{ fecha_corte() }} - 3
