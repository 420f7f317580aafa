{{ config(
    materialized='upsert',
    schema='Odd Shop',
    alias="Stores of O'Higgins",
    contract={'enforced': true},
    indexes=[{'columns': ['Changed Rows'], 'unique': true, 'name': 'By Rows'}],
) }}

select distinct store_id as "Store Id", store_id as "Changed Rows", store_id as "select"
from {{ source('shop', 'sales') }}
