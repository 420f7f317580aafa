-- Products that are bought together more often than by chance. Grain: pair of products.
select
    una.nombre_producto as producto_a,
    otra.nombre_producto as producto_b,
    pares.desde,
    pares.hasta,
    pares.tickets,
    pares.esperados,
    pares.lift,
    pares.error_lift,
    pares.z,
    pares.confianza_ab_pct / 100 as confianza_ab,
    pares.confianza_ba_pct / 100 as confianza_ba
from {{ ref('mv_pares_canasta') }} as pares
inner join {{ ref('productos') }} as una on pares.producto_a = una.producto_id
inner join {{ ref('productos') }} as otra on pares.producto_b = otra.producto_id
where
    pares.formato = {{ param('formato_de_pares') }}
    and pares.lift > 1
    and (
        una.categoria = any({{ param('categoria') }}::text[])
        or otra.categoria = any({{ param('categoria') }}::text[])
    )
order by pares.ranking
limit 200
