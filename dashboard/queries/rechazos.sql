-- Rows in quarantine. Grain: reason and raw table.
select
    descripcion,
    motivo,
    tabla,
    sum(filas) as filas,
    sum(filas_sin_repetir) as filas_sin_repetir,
    max(mes) as ultimo_mes
from {{ ref('rechazos') }}
group by descripcion, motivo, tabla
order by filas desc, motivo
