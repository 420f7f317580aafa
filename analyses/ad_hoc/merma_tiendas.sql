-- Where is stock lost: shrinkage at cost by store over twelve whole months, against what was sold?
-- A row covers a month or a day of it, so only whole months make a year of 365 days. Reads
-- retail.fact_inventario. One row per store, the worst 20.

with

hasta as (

    select date_trunc('month', fecha_corte + 1)::date as fecha from {{ ref('corte') }}

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
where
    inventario.fecha >= (select hasta.fecha - interval '12 months' from hasta)
    and inventario.fecha < (select hasta.fecha from hasta)
group by tiendas.formato, tiendas.nombre_tienda, tiendas.tienda_id
order by merma_pct desc nulls last, tiendas.tienda_id
limit 20
