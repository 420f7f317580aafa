-- Where is stock lost: shrinkage at cost by store over the last year, against what was sold?
-- Reads the monthly rows of retail.fact_inventario. One row per store, the worst 20.

with

ultimo_dia as (

    select max(fecha) as fecha from {{ ref('fact_inventario') }}

)

select
    tiendas.formato,
    tiendas.nombre_tienda,
    round(sum(inventario.merma * inventario.costo_unitario), 2) as merma_a_costo,
    round(sum(inventario.salidas * inventario.costo_unitario), 2) as ventas_a_costo,
    round(
        100 * sum(inventario.merma * inventario.costo_unitario)
        / nullif(sum(inventario.salidas * inventario.costo_unitario), 0), 2
    ) as merma_pct
from {{ ref('fact_inventario') }} as inventario
inner join {{ ref('dim_tienda') }} as tiendas on inventario.tienda_id = tiendas.tienda_id
where inventario.fecha > (select ultimo_dia.fecha from ultimo_dia) - 365
group by tiendas.formato, tiendas.nombre_tienda, tiendas.tienda_id
order by merma_pct desc nulls last, tiendas.tienda_id
limit 20
