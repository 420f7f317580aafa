{{ config(materialized='upsert') }}

select
    tienda_id,
    nombre
from {{ source('origen', 'tiendas') }}
