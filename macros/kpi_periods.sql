{#
    SQL (query): the periods of mv_kpi_periodos: (periodo, desde, hasta, fin, anterior_desde, anterior_hasta), the
    last of each kind up to `fecha_corte` of the CTE `corte`. A period in course ends (`hasta`) before it is over
    (`fin`).

    Days, weeks and the last n days compare with the days 364 days before: the same weekdays. Months, quarters and
    years compare with the same calendar days of the year before; one in course with as many days from the
    beginning, so no part is compared with a whole.
#}
{% macro kpi_periods() -%}
    select
        'dia' as periodo,
        corte.fecha_corte - pasos.n as desde,
        corte.fecha_corte - pasos.n as hasta,
        corte.fecha_corte - pasos.n as fin,
        corte.fecha_corte - pasos.n - 364 as anterior_desde,
        corte.fecha_corte - pasos.n - 364 as anterior_hasta
    from corte
    cross join generate_series(0, 27) as pasos (n)
    union all
    select
        'ultimos_' || largos.n,
        corte.fecha_corte - largos.n + 1,
        corte.fecha_corte,
        corte.fecha_corte,
        corte.fecha_corte - largos.n + 1 - 364,
        corte.fecha_corte - 364
    from corte
    cross join unnest(array[7, 28, 91, 364]) as largos (n)
    union all
    select
        'semana',
        semanas.desde,
        least(semanas.desde + 6, corte.fecha_corte),
        semanas.desde + 6,
        semanas.desde - 364,
        least(semanas.desde + 6, corte.fecha_corte) - 364
    from corte
    cross join lateral (
        select date_trunc('week', corte.fecha_corte)::date - 7 * n as desde from generate_series(0, 13) as pasos (n)
    ) as semanas
    union all
    select
        periodo,
        desde,
        least(fin, fecha_corte),
        fin,
        anterior_desde,
        case
            when fin <= fecha_corte then anterior_fin
            else least(anterior_fin, anterior_desde + (fecha_corte - desde))
        end
    from (
        select
            tipos.periodo,
            corte.fecha_corte,
            inicios.desde,
            (inicios.desde + tipos.largo)::date - 1 as fin,
            (inicios.desde - interval '1 year')::date as anterior_desde,
            (inicios.desde - interval '1 year' + tipos.largo)::date - 1 as anterior_fin
        from corte
        cross join (
            values
            ('mes', 'month', interval '1 month', 12),
            ('trimestre', 'quarter', interval '3 months', 4),
            ('anno', 'year', interval '1 year', 0)
        ) as tipos (periodo, unidad, largo, atras)
        cross join lateral (
            select (date_trunc(tipos.unidad, corte.fecha_corte::timestamp) - n * tipos.largo)::date as desde
            from generate_series(0, tipos.atras) as pasos (n)
        ) as inicios
    ) as del_calendario
{%- endmacro %}
