{{ config(materialized='upsert') }}

-- Grain: one row per product category. A copy of the seed that keeps its OID, for the views that
-- read it.

select
    categoria,
    dias_minimos,
    dias_maximos
from {{ ref('umbrales_inventario') }}
