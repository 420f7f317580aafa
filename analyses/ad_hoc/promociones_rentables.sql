-- Which depths of discount pay, by category: extra units, the week after and the extra margin of
-- the promotions of the last 91 days? Lift = units / expected, as sum / sum, with its standard
-- error; promotions of which the week after is not over are left out. A promotion of which no unit
-- was sold at its price has no margin of its own in the view: what it lost are the units expected,
-- at the full margin of the catalogue on its first day (list price without tax - cost; stores may
-- charge another price than the list's). Reads retail.mv_efecto_promocion and
-- retail.historia_producto. One row per category and depth.

with

promociones as (

    select
        efectos.*,
        coalesce(
            efectos.margen_incremental,
            round(
                (
                    efectos.unidades - efectos.unidades_esperadas
                    + coalesce(
                        efectos.unidades_siguientes - efectos.unidades_esperadas_siguientes, 0
                    )
                ) * (
                    catalogo.precio_lista / (1 + catalogo.iva_pct / 100) - catalogo.costo_unitario
                ), 2
            )
        ) as margen_extra
    from {{ ref('mv_efecto_promocion') }} as efectos
    left join {{ ref('historia_producto') }} as catalogo
        on
            efectos.producto_id = catalogo.producto_id
            and {{ in_force_on('catalogo', 'efectos.fecha_inicio') }}
    where not efectos.es_parcial and efectos.unidades_esperadas is not null

)

select
    categoria,
    descuento_pct,
    count(*) as promociones,
    count(*) filter (where margen_incremental is null) as promociones_sin_venta,
    sum(unidades) as unidades,
    round(100 * (sum(unidades) / nullif(sum(unidades_esperadas), 0) - 1), 1) as efecto_pct,
    round(
        sqrt(sum((unidades_esperadas * error_pct) ^ 2)) / nullif(sum(unidades_esperadas), 0), 1
    ) as error_pct,
    round(
        100 * (sum(unidades_siguientes) / nullif(sum(unidades_esperadas_siguientes), 0) - 1), 1
    ) as semana_siguiente_pct,
    sum(margen_cedido) as margen_cedido,
    sum(margen_extra) as margen_incremental
from promociones
group by categoria, descuento_pct
order by categoria, descuento_pct
