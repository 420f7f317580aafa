{{ config(materialized='view') }}

-- Grain: that of dim_producto, under the name that analysts use.

select * from {{ ref('dim_producto') }}
