{{ config(materialized='view', schema='Odd Shop', alias='A View') }}

select "Sold On", "Amount paid" from {{ ref('odd_sales') }}
