{#
    The query of a quarantine: the delivered rows that a rule refuses, with their reasons.

    It reads the fact, so it is built after the fact and whenever the fact is: a row is in one of the two. The rules are
    evaluated only for a month in which the fact holds fewer rows than were delivered.
#}
{% macro refused_rows(delivered, judged, published, date_column, columns) %}
with

conteo as (

    select
        (
            select count(*) from {{ delivered }}
            where {{ pg_lifecycle.partition_filter(date_column) }}
        )
        > (
            select count(*) from {{ published }}
            where {{ pg_lifecycle.partition_filter(date_column) }}
        ) as hay_rechazadas

),

evaluadas as (

    select *
    from {{ judged }}
    where (select conteo.hay_rechazadas from conteo)

),

final as (

    select
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        carga_id,
        fila,
        string_to_array(motivos, ',') as motivos
    from evaluadas
    where es_rechazada

)

select * from final
{% endmacro %}
