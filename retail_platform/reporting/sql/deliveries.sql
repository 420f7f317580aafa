-- All loads by table. Grain: table and state.
select
    tabla as "table",
    estado as "state",
    count(*) as files,
    sum(filas_entregadas) as delivered,
    sum(filas_rechazadas) as refused,
    round(100.0 * sum(filas_rechazadas) / nullif(sum(filas_entregadas), 0), 3) as "refused %",
    min(fecha_min) as "first day",
    max(fecha_max) as "last day",
    max(terminada_en)::timestamptz (0) as "last load"
from {{ source('staging', 'cargas') }}
group by tabla, estado
order by tabla, estado
