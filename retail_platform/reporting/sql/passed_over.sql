-- What the newest load of each folder found there and did not load. Grain: file.
select
    ruta as "file",
    motivo as "why",
    visto_en::timestamptz(0) as seen
from staging.archivos_omitidos
order by ruta
