{{ config(materialized='upsert', reference=true) }}

-- Grain: one row per day from the var calendar_from to calendar_to, whether or not there
-- are sales.
-- Names come from lists, not from the server's language settings.

with

dias as (

    select dia::date as fecha
    from generate_series(
            '{{ var("calendar_from") }}'::timestamp,
            '{{ var("calendar_to") }}'::timestamp,
            interval '1 day'
        ) as dia

),

festivos as (

    select * from {{ ref('festivos') }}

),

fechas_de_ventanas as (

    select distinct festivos.fecha + pasos.dia as fecha
    from festivos
    left join {{ ref('ventanas_festivos') }} as ventanas
        on festivos.nombre_festivo = ventanas.nombre_festivo
    cross join lateral generate_series(
        -coalesce(ventanas.dias_antes, 0), coalesce(ventanas.dias_despues, 0)
    ) as pasos (dia)

),

eventos as (
    {{ retail_events(ref('festivos')) }}
),

semanas_454 as (
    {{ weeks_454('dias') }}
),

final as (

    select
        dias.fecha,
        extract(year from dias.fecha)::smallint as anno,
        extract(quarter from dias.fecha)::smallint as trimestre,
        extract(month from dias.fecha)::smallint as mes,
        (array[
            'enero',
            'febrero',
            'marzo',
            'abril',
            'mayo',
            'junio',
            'julio',
            'agosto',
            'septiembre',
            'octubre',
            'noviembre', 'diciembre'
        ])[extract(month from dias.fecha)] as nombre_mes,
        extract(isoyear from dias.fecha)::smallint as anno_iso,
        extract(week from dias.fecha)::smallint as semana_iso,
        extract(isodow from dias.fecha)::smallint as dia_semana,
        (array['lunes', 'martes', 'miércoles', 'jueves', 'viernes', 'sábado', 'domingo'])[
            extract(isodow from dias.fecha)
        ] as nombre_dia,
        extract(isodow from dias.fecha) >= 6 as es_fin_de_semana,
        festivos.fecha is not null as es_festivo,
        festivos.nombre_festivo,
        extract(day from dias.fecha) = 15 or extract(day from dias.fecha + 1) = 1 as es_quincena,
        fechas_de_ventanas.fecha is not null as es_ventana_festivo,
        fechas_de_ventanas.fecha is null
        and extract(day from dias.fecha) not in (1, 2, 15, 16, 17)
        and extract(day from dias.fecha + 1) != 1 as es_dia_ordinario,
        dias.fecha - 364 as fecha_comparable,
        eventos.evento,
        coalesce(anteriores.fecha, dias.fecha - 364) as fecha_comparable_evento,
        semanas_454.anno as anno_454,
        least((semanas_454.semana - 1) / 13 + 1, 4)::smallint as trimestre_454,
        {{ month_454('semanas_454.semana') }} as mes_454,
        semanas_454.semana as semana_454,
        (semanas_454.semana - {{ first_week_454('semanas_454.semana') }} + 1)::smallint
            as semana_mes_454,
        semanas_454.anno_reexpresado as anno_454_reexpresado,
        {{ month_454('semanas_454.semana_reexpresada') }} as mes_454_reexpresado,
        semanas_454.semana_reexpresada as semana_454_reexpresada
    from dias
    inner join semanas_454 on dias.fecha = semanas_454.fecha
    left join festivos on dias.fecha = festivos.fecha
    left join fechas_de_ventanas on dias.fecha = fechas_de_ventanas.fecha
    left join eventos on dias.fecha = eventos.fecha
    left join eventos as anteriores
        on
            eventos.evento = anteriores.evento
            and eventos.dia = anteriores.dia
            and eventos.anno = anteriores.anno + 1

)

select * from final
