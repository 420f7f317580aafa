{#
    SQL (query): year and week of the 4-5-4 calendar of the National Retail Federation for each `fecha` of a
    relation. Weeks go from Sunday to Saturday; a year begins on the Sunday after the Saturday next to 31 January,
    which is the Sunday next to 1 February, and has 53 weeks where the next one begins 371 days later (2017, 2023,
    2028). Restated, the weeks of such a year move down by one and its first belongs to the year before, so that it
    can be compared with the year that follows: the same week holds the same season again.
#}
{% macro weeks_454(days) -%}
    select
        {{ days }}.fecha,
        annos.anno,
        (({{ days }}.fecha - annos.inicio) / 7 + 1)::smallint as semana,
        case
            when annos.fin - annos.inicio = 371 and {{ days }}.fecha < annos.inicio + 7 then annos.anno - 1
            else annos.anno
        end::smallint as anno_reexpresado,
        case
            when annos.fin - annos.inicio = 364 then ({{ days }}.fecha - annos.inicio) / 7 + 1
            when {{ days }}.fecha < annos.inicio + 7 then 53
            else ({{ days }}.fecha - annos.inicio) / 7
        end::smallint as semana_reexpresada
    from {{ days }}
    inner join (
        select
            anno::smallint as anno,
            {{ _sunday_next_to('make_date(anno, 2, 1)') }} as inicio,
            {{ _sunday_next_to('make_date(anno + 1, 2, 1)') }} as fin
        from generate_series(
            extract(year from '{{ var("calendar_from") }}'::date)::integer - 1,
            extract(year from '{{ var("calendar_to") }}'::date)::integer
        ) as numeros (anno)
    ) as annos on {{ days }}.fecha >= annos.inicio and {{ days }}.fecha < annos.fin
{%- endmacro %}


{# SQL: the Sunday at most three days from a date. #}
{% macro _sunday_next_to(day) -%}
    {{ day }} + 3 - extract(dow from {{ day }} + 3)::integer
{%- endmacro %}
