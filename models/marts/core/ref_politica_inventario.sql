{{ config(materialized='upsert') }}

-- Grain: one row per product category. A copy of the seed that keeps its OID, for the views that
-- read it.

select
    categoria,
    dias_revision,
    dias_maximos,
    existencia_minima,
    plazo_dias,
    desviacion_plazo
from {{ ref('politica_inventario') }}
