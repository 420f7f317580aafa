-- What is published since when. Grain: relation.
select
    relacion,
    tipo,
    publicada_en,
    datos_al,
    filas,
    en_construccion,
    probada
from {{ ref('estado_publicacion') }}
where tipo <> 'vista'
order by publicada_en desc, relacion
