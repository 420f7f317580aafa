-- Which three pairs of products stand out in the baskets of each store format? Tickets are compared
-- with tickets of the same number of products. Reads retail.mv_pares_canasta. One row per format
-- and pair.

select
    pares.formato,
    pares.ranking,
    productos_a.nombre_producto as nombre_a,
    productos_b.nombre_producto as nombre_b,
    pares.tickets,
    pares.soporte_pct,
    pares.confianza_ab_pct,
    pares.lift,
    pares.error_lift,
    pares.z
from {{ ref('mv_pares_canasta') }} as pares
inner join
    {{ ref('dim_producto') }} as productos_a
    on pares.producto_a = productos_a.producto_id
inner join
    {{ ref('dim_producto') }} as productos_b
    on pares.producto_b = productos_b.producto_id
where pares.ranking <= 3
order by pares.formato, pares.ranking
