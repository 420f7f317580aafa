{{ config(severity='warn') }}

-- No row of a catalogue broke a rule of its dimension. Where one did the last good version is
-- published; warns with the rows, so that somebody corrects the catalogue.

select
    'productos' as catalogo,
    producto_id as clave,
    motivos
from {{ ref('cuarentena_productos') }}
union all
select
    'tiendas' as catalogo,
    tienda_id as clave,
    motivos
from {{ ref('cuarentena_tiendas') }}
union all
select
    'promociones' as catalogo,
    promocion_id as clave,
    motivos
from {{ ref('cuarentena_promociones') }}
