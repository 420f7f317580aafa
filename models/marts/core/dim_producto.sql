{{ config(materialized='upsert') }}

-- Grain: one row per product.

select
    producto_id,
    sku,
    nombre_producto,
    marca,
    categoria,
    subcategoria,
    precio_lista,
    costo_unitario,
    iva_pct,
    es_a_granel,
    fecha_lanzamiento,
    fecha_retiro,
    activo
from {{ ref('stg_productos') }}
