{{ config(materialized='ephemeral') }}

select * from {{ ref('sales_snapshot') }} where dbt_valid_to is null
