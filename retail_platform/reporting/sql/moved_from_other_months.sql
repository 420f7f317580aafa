-- Rows that a later load replaced in months which it does not deliver.
-- Grain: load, earlier load, month.
select
    m.carga_id as "load",
    c.archivo as "file",
    m.tabla as "table",
    to_char(m.mes, 'YYYY-MM') as "month before",
    e.archivo as "was in file",
    m.filas as "rows"
from staging.filas_movidas as m
inner join {{ source('staging', 'cargas') }} as c on m.carga_id = c.carga_id
inner join {{ source('staging', 'cargas') }} as e on m.carga_anterior = e.carga_id
order by m.carga_id desc, m.mes
