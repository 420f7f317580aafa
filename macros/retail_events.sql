{#
    SQL (query): the days of events that move sales and do not fall on the same weekday each year: (fecha, evento,
    anno, dia), where `dia` counts within the event, so the day of last year to compare with has the same evento and
    dia.

    Easter: a week before to a week after. Buen Fin: its days up to the Monday of the holiday, and after it in 2021;
    it does not begin on the same weekday each year. Back to school: two weeks up to the
    Monday next to 29 August. The others are dates. None overlaps another.
#}
{% macro retail_events(holidays) -%}
    select
        pascua.fecha + pasos.dia as fecha,
        'Pascua' as evento,
        extract(year from pascua.fecha)::integer as anno,
        pasos.dia
    from {{ holidays }} as pascua
    cross join generate_series(-7, 7) as pasos (dia)
    where pascua.nombre_festivo = 'Domingo de Pascua'
    union all
    select
        fecha,
        'Buen Fin' as evento,
        extract(year from fecha)::integer as anno,
        fecha - (
            make_date(extract(year from fecha)::integer, 11, 15)
            + (8 - extract(isodow from make_date(extract(year from fecha)::integer, 11, 15))::integer) % 7
        ) as dia
    from {{ holidays }}
    where nombre_festivo like '%Buen Fin%'
    union all
    select
        clases.lunes + pasos.dia as fecha,
        'Regreso a clases' as evento,
        clases.anno,
        pasos.dia
    from (
        select
            anno,
            make_date(anno, 8, 26) + (8 - extract(isodow from make_date(anno, 8, 26))::integer) % 7 as lunes
        from generate_series(
            extract(year from '{{ var("calendar_from") }}'::date)::integer,
            extract(year from '{{ var("calendar_to") }}'::date)::integer
        ) as annos (anno)
    ) as clases
    cross join generate_series(-13, 0) as pasos (dia)
    union all
    select
        fecha,
        case
            when mes_dia in (105, 106) then 'Reyes'
            when mes_dia = 510 then 'Día de las Madres'
            else 'Fin de año'
        end as evento,
        extract(year from fecha)::integer as anno,
        mes_dia as dia
    from (
        select fecha, (extract(month from fecha) * 100 + extract(day from fecha))::integer as mes_dia
        from dias
    ) as fechas
    where mes_dia in (105, 106, 510) or mes_dia between 1224 and 1231
{%- endmacro %}
