-- Grain: one row per store, product and last day of the period as delivered.

select
    fecha,
    tienda_id,
    producto_id,
    dias_periodo,
    stock_inicial,
    entradas,
    coalesce(reingresos, 0)::numeric(12, 3) as reingresos,
    salidas,
    merma,
    stock_final,
    costo_unitario,
    round(stock_final * costo_unitario, 2) as valor_inventario,
    carga_id::bigint as carga_id,
    fila::bigint as fila
from {{ source('staging', 'raw_inventario') }}
