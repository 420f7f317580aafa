-- How many products in stores are in which state. Grain: state.
select
    alertas.alerta_inventario,
    count(*) as pares,
    count(distinct alertas.tienda_id) as tiendas
from {{ ref('mv_inventory_alerts') }} as alertas
inner join {{ ref('tiendas') }} as tiendas on alertas.tienda_id = tiendas.tienda_id
where
    tiendas.cadena = any({{ param('cadena') }}::text[])
    and tiendas.region = any({{ param('region') }}::text[])
    and tiendas.formato = any({{ param('formato') }}::text[])
group by alertas.alerta_inventario
