-- What the newest load of each folder found there and did not load. Grain: file.
select
    ruta as "file",
    motivo as "why",
    date_trunc('second', visto_en) as seen
from staging.archivos_omitidos
order by ruta
