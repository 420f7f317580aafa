{#
    SQL: the published columns of mv_kpi_periodos, from the sums of a member and the period. What the data do not
    reach back for is null. A store that was not open, and not in works, on each day of both periods has no growth: a
    part is not compared with a whole.
#}
{% macro kpi_columns() -%}
        case when por_miembro.dimension != 'categoria' then por_miembro.dias_tienda end::bigint as dias_tienda,
        por_miembro.total_ventas,
        por_miembro.ventas_netas,
        por_miembro.margen,
        case when por_miembro.dimension != 'categoria' then por_miembro.numero_tickets end::bigint as numero_tickets,
        por_miembro.lineas::bigint as lineas,
        por_miembro.articulos::bigint as articulos,
        por_miembro.unidades,
        case
            when periodos.tiene_anterior and por_miembro.dimension != 'categoria' then por_miembro.dias_tienda_anterior
        end::bigint as dias_tienda_anterior,
        case when periodos.tiene_anterior then por_miembro.total_ventas_anterior end as ventas_anno_anterior,
        case when periodos.tiene_anterior then por_miembro.ventas_netas_anterior end as ventas_netas_anno_anterior,
        case when periodos.tiene_anterior then por_miembro.margen_anterior end as margen_anno_anterior,
        case
            when periodos.tiene_anterior and por_miembro.dimension != 'categoria'
                then por_miembro.numero_tickets_anterior
        end::bigint as tickets_anno_anterior,
        case when periodos.tiene_evento then por_miembro.ventas_evento end as ventas_evento_anterior,
    {%- for name, source in {
        'ventas_mismas_tiendas': 'ventas_mismas', 'ventas_mismas_tiendas_anterior': 'ventas_mismas_anterior',
        'tickets_mismas_tiendas': 'tickets_mismas', 'tickets_mismas_tiendas_anterior': 'tickets_mismas_anterior',
        'tiendas_mismas': 'tiendas_mismas', 'dias_tienda_mismas': 'dias_mismas',
    }.items() %}
        case
            when periodos.tiene_anterior and por_miembro.dimension != 'categoria' then por_miembro.{{ source }}
        end{{ '::bigint' if 'ventas' not in name }} as {{ name }},
    {%- endfor %}
        case
            when
                periodos.tiene_anterior
                and (
                    por_miembro.dimension != 'tienda'
                    or (
                        por_miembro.dias_tienda = periodos.hasta - periodos.desde + 1
                        and por_miembro.dias_tienda_anterior = periodos.anterior_hasta - periodos.anterior_desde + 1
                        and por_miembro.dias_obra + por_miembro.dias_obra_anterior = 0
                    )
                )
                then {{ growth_pct('por_miembro.total_ventas', 'por_miembro.total_ventas_anterior') }}
        end as crecimiento_pct,
    {%- for name, now, before in [
        ('mismas_tiendas_pct', 'por_miembro.ventas_mismas', 'por_miembro.ventas_mismas_anterior'),
        ('trafico_pct', 'por_miembro.tickets_mismas', 'por_miembro.tickets_mismas_anterior'),
        (
            'ticket_pct', 'por_miembro.ventas_mismas * por_miembro.tickets_mismas_anterior',
            'por_miembro.ventas_mismas_anterior * por_miembro.tickets_mismas'
        ),
    ] %}
        case when periodos.tiene_anterior then {{ growth_pct(now, before) }} end as {{ name }}
        {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
