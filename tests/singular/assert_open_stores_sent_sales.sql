{{ config(severity='warn') }}

-- A store that sold on at least 24 of 28 days and is open has sales in the last three days up to
-- the cut-off date: one that has none probably stopped sending. Warns with the store, its last day
-- with sales and the days since.

with

ventas as (

    select
        tienda_id,
        max(fecha) as ultima_fecha,
        count(*) filter (where fecha <= {{ cutoff_date() }} - 3) as dias_con_ventas
    from {{ ref('agg_ventas_dia_tienda') }}
    where lineas > 0 and fecha > {{ cutoff_date() }} - 31
    group by tienda_id

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

)

select
    tiendas.tienda_id,
    tiendas.nombre_tienda,
    ventas.ultima_fecha,
    {{ cutoff_date() }} - ventas.ultima_fecha as dias_sin_ventas
from tiendas
inner join ventas on tiendas.tienda_id = ventas.tienda_id
where
    coalesce(tiendas.fecha_cierre, 'infinity') > {{ cutoff_date() }}
    and ventas.dias_con_ventas >= 24
    and ventas.ultima_fecha <= {{ cutoff_date() }} - 3
