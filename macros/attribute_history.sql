{#
    SQL: the versions of a catalogue's rows, each with the days on which it was in force. A row per key and version.

    evaluated: an `int_*_evaluad*` model; table: its raw table; key: its column; attributes: those that are kept.
    Columns: key, valido_desde, valido_hasta (exclusive, null for the version in force), es_vigente, numero_version
    (from 1), entregado_el (day of the delivery that said so first), attributes.

    A function of what was delivered, in whatever order it came (ADR 0064). The day is that of the delivery's place
    among the others (`delivery_order`): the date in the file's name, else that of its loading in UTC. Of several
    deliveries of one day the last one counts; a row that breaks a rule leaves the one before it in force, and so does a
    claim of another one's code. The first version known stands for all days before it, so that every day has one.
    A key whose deliveries are gone keeps the versions that were published: facts refer to it.
#}
{% macro attribute_history(evaluated, table, key, attributes) %}
    {%- set built = pg_lifecycle.built_relation(model.name) -%}
    {%- set columns = [
        key, 'valido_desde', 'valido_hasta', 'es_vigente', 'numero_version', 'entregado_el'
    ] + attributes -%}
with

evaluadas as materialized (

    select * from {{ ref(evaluated) }}

),

cargas as (

    {{ delivery_order() }}

),

contenidos as (

    select distinct on (huella) *
    from evaluadas
    order by huella, carga_id, fila

),

entregas as (

    select
        {{ key }},
        huella,
        carga_id,
        fila
    from evaluadas
    union all
    select
        contenidos.{{ key }},
        contenidos.huella,
        repetidas.carga_id,
        repetidas.fila
    from {{ source('staging', 'entregas_repetidas') }} as repetidas
    inner join contenidos on repetidas.huella = contenidos.huella
    where repetidas.tabla = '{{ table }}'

),

-- Of a key that one load delivers twice its first row counts.
primeras as (

    select distinct on (entregas.{{ key }}, entregas.carga_id)
        entregas.{{ key }},
        entregas.huella,
        row(cargas.orden, entregas.carga_id, entregas.fila) as lugar,
        greatest(to_date(left(cargas.orden, 8), 'YYYYMMDD'), date '{{ var("calendar_from") }}') as dia
    from entregas
    inner join cargas on entregas.carga_id = cargas.carga_id
    order by entregas.{{ key }}, entregas.carga_id, entregas.fila

),

publicadas as (

    select
        evaluadas.{{ key }},
        row(cargas.orden, evaluadas.carga_id, evaluadas.fila) as lugar
    from evaluadas
    inner join cargas on evaluadas.carga_id = cargas.carga_id
    where evaluadas.es_vigente

),

de_cada_dia as (

    select distinct on (primeras.{{ key }}, primeras.dia)
        primeras.{{ key }},
        primeras.huella,
        primeras.dia
    from primeras
    inner join contenidos on primeras.huella = contenidos.huella
    inner join publicadas on primeras.{{ key }} = publicadas.{{ key }}
    where not contenidos.es_defectuosa and primeras.lugar <= publicadas.lugar
    order by primeras.{{ key }}, primeras.dia, primeras.lugar desc

),

comparadas as (

    select
        *,
        lag(huella) over (partition by {{ key }} order by dia) as huella_anterior
    from de_cada_dia

),

versiones as (

    select
        {{ key }},
        huella,
        dia as entregado_el,
        case
            when huella_anterior is null then date '{{ var("calendar_from") }}'
            else dia
        end as valido_desde,
        lead(dia) over (partition by {{ key }} order by dia) as valido_hasta,
        row_number() over (partition by {{ key }} order by dia) as numero_version
    from comparadas
    where huella is distinct from huella_anterior

)

select
    versiones.{{ key }},
    versiones.valido_desde,
    versiones.valido_hasta,
    versiones.valido_hasta is null as es_vigente,
    versiones.numero_version::integer as numero_version,
    versiones.entregado_el
    {%- for attribute in attributes %},
    contenidos.{{ attribute }}
    {%- endfor %}
from versiones
inner join contenidos on versiones.huella = contenidos.huella
{%- if built %}
{%- set known = adapter.get_columns_in_relation(built) | map(attribute='name') | list %}
union all
select
    {%- for column in columns %}
    {{ column if column in known else 'null' }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ built }}
where {{ key }} not in (select {{ key }} from versiones)
{%- endif %}
{% endmacro %}
