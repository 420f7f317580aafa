{{ config(materialized='upsert') }}

select sale_id, sold_on, amount from {{ source('shop', 'sales') }}
