-- Loads that failed and were not repeated with success, the newest first. Grain: load.
select
    c.carga_id as "load",
    c.archivo as "file",
    c.iniciada_en::timestamptz (0) as started,
    c.filas_entregadas as delivered,
    c.filas_rechazadas as refused,
    c.error
from {{ source('staging', 'cargas') }} as c
where
    c.estado <> 'completa'
    and not exists (
        select 1
        from {{ source('staging', 'cargas') }} as later
        where
            later.tabla = c.tabla
            and later.archivo = c.archivo
            and later.estado = 'completa'
            and later.carga_id > c.carga_id
    )
order by c.carga_id desc
