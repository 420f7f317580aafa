{{ config(materialized='view') }}

-- Grain: that of dim_tienda, under the name that analysts use.

select * from {{ ref('dim_tienda') }}
