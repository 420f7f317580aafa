-- Deliveries of the last year and their rows. Grain: raw table.
select
    tabla,
    count(*) filter (where estado = 'completa') as archivos,
    count(*) filter (where estado = 'fallida') as fallidos,
    sum(filas_entregadas) as filas_entregadas,
    sum(filas_rechazadas) as filas_rechazadas,
    sum(filas_sustituidas) as filas_sustituidas,
    max(fecha_max) as fecha_max,
    max(terminada_en) as terminada_en
from {{ ref('entregas') }}
group by tabla
order by tabla
