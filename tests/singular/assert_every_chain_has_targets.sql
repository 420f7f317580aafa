{{ config(severity='warn') }}

-- Every chain with open stores has targets, so its stores have a plan. Warns with the chains that
-- lack them: seeds/metas_ventas.csv.

select tiendas.cadena
from {{ ref('dim_tienda') }} as tiendas
left join {{ ref('ref_meta_venta') }} as metas on tiendas.cadena = metas.cadena
where tiendas.activo and metas.cadena is null
group by tiendas.cadena
