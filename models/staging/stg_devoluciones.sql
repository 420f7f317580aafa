-- Grain: one row per return as delivered; a return that one load delivered twice is still there
-- twice.

select
    devolucion_id,
    ticket_id,
    linea,
    fecha_venta,
    fecha_devolucion,
    tienda_id,
    producto_id,
    canal,
    unidades,
    importe,
    motivo,
    coalesce(reingresa, false) as reingresa,
    carga_id::bigint as carga_id,
    fila::bigint as fila
from {{ source('staging', 'raw_devoluciones') }}
