{{ config(materialized='ephemeral') }}

select * from {{ source('shop', 'sales_versioned') }}
