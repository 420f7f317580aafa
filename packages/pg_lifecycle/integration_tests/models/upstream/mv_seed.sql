{{ config(materialized='materialized_view', indexes=[{'columns': ['sale_id'], 'unique': true}]) }}
select sale_id, sold_on, amount from {{ ref('sales_seed') }}
