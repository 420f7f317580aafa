-- What changes exactly when something that is shown changes, and whether something is being built.
select
    md5(string_agg(relacion || ' ' || coalesce(version, ''), ',' order by relacion)) as edicion,
    bool_or(en_construccion) as en_construccion
from {{ ref('estado_publicacion') }}
