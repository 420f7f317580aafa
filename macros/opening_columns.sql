{#
    SQL (query): the published columns of mv_aperturas, from sums by store and week. The standard error is that of a
    ratio of sums over the week's days: it tells of days that differ, not of a store that is larger than its peers.
#}
{% macro opening_columns() -%}
    select
        por_semana.tienda_id,
        por_semana.semana::smallint as semana,
        ((por_semana.semana + 3) / 4)::smallint as mes_operacion,
        por_semana.fecha_apertura + 7 * (por_semana.semana - 1) as desde,
        least(por_semana.fecha_apertura + 7 * por_semana.semana - 1, corte.fecha_corte) as hasta,
        por_semana.fecha_apertura + 7 * por_semana.semana - 1 > corte.fecha_corte as es_parcial,
        case
            when por_semana.tiene_cercanas then 'formato y región'
            when por_semana.dias_comparados > 0 then 'formato'
        end as base,
        por_semana.dias_tienda::integer as dias_tienda,
        por_semana.total_ventas,
        por_semana.numero_tickets::bigint as numero_tickets,
        coalesce(por_semana.dias_tienda_maduras, 0)::integer as dias_tienda_maduras,
        por_semana.total_ventas_maduras,
        por_semana.numero_tickets_maduras::bigint as numero_tickets_maduras,
        round(por_semana.total_ventas / por_semana.dias_tienda, 2) as venta_diaria,
        round(por_semana.total_ventas_maduras / por_semana.dias_tienda_maduras, 2) as venta_diaria_maduras,
        round(
            100 * por_semana.total_ventas / por_semana.dias_tienda
            * por_semana.dias_tienda_maduras / nullif(por_semana.total_ventas_maduras, 0), 2
        ) as proporcion_pct,
        case
            when por_semana.dias_comparados = por_semana.dias_tienda and por_semana.dias_tienda > 1
                then round(
                    100 * sqrt(
                        greatest(
                            por_semana.yy - 2 * por_semana.total_ventas / nullif(por_semana.x, 0) * por_semana.xy
                            + (por_semana.total_ventas / nullif(por_semana.x, 0)) ^ 2 * por_semana.xx, 0
                        )
                        * por_semana.dias_tienda / (por_semana.dias_tienda - 1)
                    ) / nullif(por_semana.x, 0), 2
                )
        end as error_pct
    from por_semana
    cross join corte
{%- endmacro %}
