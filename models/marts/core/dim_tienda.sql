{{ config(materialized='upsert') }}

-- Grain: one row per store.

select
    tienda_id,
    codigo_tienda,
    nombre_tienda,
    cadena,
    formato,
    region,
    gerencia,
    ciudad,
    estado,
    superficie_m2,
    fecha_apertura,
    fecha_cierre,
    fecha_inicio_remodelacion,
    fecha_remodelacion,
    activo
from {{ ref('stg_tiendas') }}
