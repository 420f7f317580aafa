-- What became of the rows of each complete load; the difference must be zero. Grain: load.
-- Variables: raw_tables, all of them; quarantined, the relations of dbt's quarantine that exist.
with

refused as (

    select
        carga_id,
        count(distinct fila) as filas
    from cuarentena.filas_archivo
    group by carga_id

),

raw_rows as (

    select
        rows_of_all.carga_id,
        count(*) as filas
    from (
        select null::bigint as carga_id where false
        {% for table in raw_tables %}
            union all
            select carga_id from staging.{{ table }}
        {% endfor %}
    ) as rows_of_all
    group by rows_of_all.carga_id

),

quarantined as (

    select
        rows_of_all.carga_id,
        count(*) as filas
    from (
        select null::bigint as carga_id where false
        {% for relation in quarantined %}
            union all
            select carga_id from {{ relation }}
        {% endfor %}
    ) as rows_of_all
    group by rows_of_all.carga_id

),

loads as (

    select
        c.carga_id,
        c.archivo,
        c.filas_entregadas,
        c.filas_sustituidas,
        coalesce(refused.filas, 0) as rechazadas,
        coalesce(raw_rows.filas, 0) as crudas,
        coalesce(quarantined.filas, 0) as cuarentena
    from {{ source('staging', 'cargas') }} as c
    left join refused on c.carga_id = refused.carga_id
    left join raw_rows on c.carga_id = raw_rows.carga_id
    left join quarantined on c.carga_id = quarantined.carga_id
    where c.estado = 'completa'

)

select
    carga_id as "load",
    archivo as "file",
    filas_entregadas as delivered,
    rechazadas as refused,
    filas_sustituidas as superseded,
    cuarentena as quarantined,
    crudas - cuarentena as accepted,
    filas_entregadas - rechazadas - filas_sustituidas - crudas as "difference"
from loads
order by filas_entregadas - rechazadas - filas_sustituidas - crudas <> 0 desc, carga_id desc
