-- Grain: one row per ticket line as delivered; a line that one load delivered twice is still there
-- twice.

select
    ticket_id,
    linea,
    fecha_venta,
    hora,
    tienda_id,
    producto_id,
    canal,
    unidades,
    precio_unitario,
    descuento_pct,
    costo_unitario,
    round(unidades * precio_unitario * (1 - descuento_pct / 100), 2) as total_linea,
    carga_id::bigint as carga_id,
    fila::bigint as fila
from {{ source('staging', 'raw_ventas') }}
