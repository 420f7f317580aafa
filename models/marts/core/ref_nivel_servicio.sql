{{ config(materialized='upsert') }}

-- Grain: one row per ABC class. A copy of the seed that keeps its OID, for the views that read it.

select
    clase_abc,
    nivel_servicio_pct,
    z
from {{ ref('niveles_servicio') }}
