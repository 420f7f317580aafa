{{ config(materialized='view') }}

select sale_id, sold_on, amount * {{ var('factor') }} as amount from {{ source('shop', 'sales_versioned') }}
