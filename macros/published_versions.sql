{#
    SQL (clave, publicada, candidata): for each key of a catalogue the version that is published, none if no version can
    be, and the last one that breaks no rule of its own. They differ where another key has the code.

    judged: a CTE with `numero_version` and es_rechazada; key, code: its columns; without code every candidate is
    published.

    As if the deliveries were built one after the other: who has a code keeps it until it gives it up, codes may be
    exchanged within a delivery, and who claims a code of another one stays with its last version, as does who then
    wants that one's code. A later delivery that resolves the quarrel lets the claim pass. That needs the deliveries in
    turn, but only of the keys that ever claimed a code that another key claimed too: none, as a rule.
#}
{% macro published_versions(judged, key, code=none) %}
{%- if not code %}
    select
        {{ key }} as clave,
        max(numero_version) as publicada,
        max(numero_version) as candidata
    from {{ judged }}
    where not es_rechazada
    group by {{ key }}
{%- else %}
    with recursive

    validas as (

        select
            {{ key }}::text as clave,
            {{ code }} as codigo,
            numero_version,
            carga_id,
            max(numero_version) over (partition by {{ key }}) as ultima
        from {{ judged }}
        where not es_rechazada

    ),

    disputadas as materialized (

        select *
        from validas
        where clave in (
            select clave
            from validas
            where codigo in (select codigo from validas group by codigo having count(distinct clave) > 1)
        )

    ),

    -- Loads in their order: that of their first row.
    cargas as (

        select
            carga_id,
            row_number() over (order by min(numero_version)) as paso
        from disputadas
        group by carga_id

    ),

    entregas as (

        select
            cargas.paso,
            jsonb_object_agg(
                ultimas.clave, jsonb_build_object('codigo', ultimas.codigo, 'version', ultimas.numero_version)
            ) as filas
        from (
            select distinct on (carga_id, clave) * from disputadas order by carga_id, clave, numero_version desc
        ) as ultimas
        inner join cargas on ultimas.carga_id = cargas.carga_id
        group by cargas.paso

    ),

    estado as (

        select
            0::bigint as paso,
            '{}'::jsonb as candidatas,
            '{}'::jsonb as publicadas
        union all
        select
            entregas.paso,
            estado.candidatas || entregas.filas,
            resuelto.publicadas
        from estado
        inner join entregas on entregas.paso = estado.paso + 1
        cross join lateral (

            with recursive

            pretensiones as (

                select
                    fila.key as clave,
                    fila.value as candidata,
                    fila.value ->> 'codigo' as codigo,
                    estado.publicadas -> fila.key as publicada,
                    estado.publicadas -> fila.key ->> 'codigo' as codigo_publicado,
                    row_number() over (
                        partition by fila.value ->> 'codigo'
                        order by
                            estado.publicadas -> fila.key ->> 'codigo' is distinct from fila.value ->> 'codigo',
                            (fila.value ->> 'version')::bigint
                    ) > 1 as pierde
                from jsonb_each(estado.candidatas || entregas.filas) as fila

            ),

            perdedoras as (

                select clave, codigo_publicado from pretensiones where pierde
                union
                select pretensiones.clave, pretensiones.codigo_publicado
                from pretensiones
                inner join perdedoras
                    on
                        pretensiones.codigo = perdedoras.codigo_publicado
                        and pretensiones.clave != perdedoras.clave

            )

            select
                coalesce(jsonb_object_agg(
                    pretensiones.clave,
                    case
                        when perdedoras.clave is null then pretensiones.candidata
                        else pretensiones.publicada
                    end
                ) filter (
                    where perdedoras.clave is null or pretensiones.publicada is not null
                ), '{}') as publicadas
            from pretensiones
            left join perdedoras on pretensiones.clave = perdedoras.clave

        ) as resuelto

    ),

    resueltas as (

        select
            fila.key as clave,
            (fila.value ->> 'version')::bigint as version
        from (select publicadas from estado order by paso desc limit 1) as al_final
        cross join jsonb_each(al_final.publicadas) as fila

    )

    select distinct
        validas.clave::integer as clave,
        case
            when validas.clave in (select clave from disputadas) then resueltas.version
            else validas.ultima
        end as publicada,
        validas.ultima as candidata
    from validas
    left join resueltas on validas.clave = resueltas.clave
{%- endif %}
{% endmacro %}
