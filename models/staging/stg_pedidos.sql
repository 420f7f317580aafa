-- Grain: one row per order line as delivered.

select
    pedido_id,
    tienda_id,
    producto_id,
    proveedor,
    fecha_pedido,
    fecha_promesa,
    fecha_entrega,
    unidades_pedidas,
    unidades_recibidas,
    carga_id::bigint as carga_id,
    fila::bigint as fila
from {{ source('staging', 'raw_pedidos') }}
