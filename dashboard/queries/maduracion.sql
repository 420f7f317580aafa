-- New stores against the ripe ones of their format, by months of four weeks since opening.
-- Grain: store and month of operation.
select
    tiendas.tienda_id,
    tiendas.nombre_tienda,
    tiendas.formato,
    tiendas.fecha_apertura,
    aperturas.mes_operacion,
    sum(aperturas.dias_tienda) as dias_tienda,
    sum(aperturas.total_ventas) as total_ventas,
    -- What ripe stores would have sold on as many days.
    sum(aperturas.venta_diaria_maduras * aperturas.dias_tienda) as ventas_maduras,
    max(aperturas.hasta) as hasta
from {{ ref('mv_aperturas') }} as aperturas
inner join {{ ref('tiendas') }} as tiendas on aperturas.tienda_id = tiendas.tienda_id
where
    tiendas.cadena = any({{ param('cadena') }}::text[])
    and tiendas.region = any({{ param('region') }}::text[])
    and tiendas.formato = any({{ param('formato') }}::text[])
    and aperturas.venta_diaria_maduras is not null
group by
    tiendas.tienda_id,
    tiendas.nombre_tienda,
    tiendas.formato,
    tiendas.fecha_apertura,
    aperturas.mes_operacion
order by tiendas.fecha_apertura, tiendas.tienda_id, aperturas.mes_operacion
