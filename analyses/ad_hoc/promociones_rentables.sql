-- Which depths of discount pay, by category: extra units, the week after and the extra margin of
-- the promotions of the last 91 days? Lift = units / expected, as sum / sum, with its standard
-- error; promotions of which the week after is not over are left out. Reads
-- retail.mv_efecto_promocion. One row per category and depth.

select
    categoria,
    descuento_pct,
    count(*) as promociones,
    sum(unidades) as unidades,
    round(100 * (sum(unidades) / nullif(sum(unidades_esperadas), 0) - 1), 1) as efecto_pct,
    round(
        sqrt(sum((unidades_esperadas * error_pct) ^ 2)) / nullif(sum(unidades_esperadas), 0), 1
    ) as error_pct,
    round(
        100 * (sum(unidades_siguientes) / nullif(sum(unidades_esperadas_siguientes), 0) - 1), 1
    ) as semana_siguiente_pct,
    sum(margen_cedido) as margen_cedido,
    sum(margen_incremental) as margen_incremental
from {{ ref('mv_efecto_promocion') }}
where not es_parcial and unidades_esperadas is not null
group by categoria, descuento_pct
order by categoria, descuento_pct
