-- Rows that never reached a raw table. Grain: reason and table.
select
    motivo as reason,
    tabla as "table",
    count(*) as refusals,
    count(distinct row(carga_id, fila)) as "rows",
    (
        array_agg(
            archivo || ' row ' || fila || coalesce(', ' || columna, '') || ': '
            || coalesce(left(texto_original, 60), '(empty)')
            order by carga_id desc, fila
        )
    )[1] as example
from cuarentena.filas_archivo
group by motivo, tabla
order by refusals desc
