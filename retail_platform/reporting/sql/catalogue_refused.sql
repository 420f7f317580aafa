-- Rows of the catalogues that broke a rule, and what is published of them. Grain: row.
with

refused as (

    select
        'productos' as tabla,
        q.producto_id as clave,
        q.carga_id,
        q.fila,
        q.motivos,
        d.producto_id is not null as publicada
    from cuarentena.productos as q
    left join {{ ref('dim_producto') }} as d on q.producto_id = d.producto_id
    union all
    select
        'tiendas' as tabla,
        q.tienda_id as clave,
        q.carga_id,
        q.fila,
        q.motivos,
        d.tienda_id is not null as publicada
    from cuarentena.tiendas as q
    left join {{ ref('dim_tienda') }} as d on q.tienda_id = d.tienda_id
    union all
    select
        'promociones' as tabla,
        q.promocion_id as clave,
        q.carga_id,
        q.fila,
        q.motivos,
        d.promocion_id is not null as publicada
    from cuarentena.promociones as q
    left join {{ ref('dim_promocion') }} as d on q.promocion_id = d.promocion_id

)

select
    refused.tabla as "catalogue",
    refused.clave as "key",
    array_to_string(refused.motivos, ', ') as reasons,
    c.archivo || ' row ' || refused.fila as delivered,
    case when refused.publicada then 'its last good version' else 'nothing' end as published
from refused
left join staging.cargas as c on refused.carga_id = c.carga_id
order by refused.publicada, refused.tabla, refused.clave
