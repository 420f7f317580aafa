{{ config(materialized='upsert', delete_missing=true) }}

-- Grain: one row per chain and day from which its targets hold. A copy of the seed that keeps its
-- OID, for the views that read it.

select
    cadena,
    vigente_desde,
    trafico_pct,
    ticket_pct,
    margen_pct,
    apertura_pct
from {{ ref('metas_ventas') }}
