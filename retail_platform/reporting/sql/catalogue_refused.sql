-- Rows of the catalogues that broke a rule, and what is published of them. Grain: row.
with

refused as (

    select
        'productos' as tabla,
        q.producto_id as clave,
        q.carga_id,
        q.fila,
        q.motivos,
        exists (select from {{ ref('dim_producto') }} as d where d.producto_id = q.producto_id) as publicada
    from cuarentena.productos as q
    union all
    select
        'tiendas' as tabla,
        q.tienda_id as clave,
        q.carga_id,
        q.fila,
        q.motivos,
        exists (select from {{ ref('dim_tienda') }} as d where d.tienda_id = q.tienda_id) as publicada
    from cuarentena.tiendas as q
    union all
    select
        'promociones' as tabla,
        q.promocion_id as clave,
        q.carga_id,
        q.fila,
        q.motivos,
        exists (select from {{ ref('dim_promocion') }} as d where d.promocion_id = q.promocion_id) as publicada
    from cuarentena.promociones as q

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
