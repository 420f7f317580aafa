{{ config(materialized='view') }}

-- Grain: that of dim_promocion, under the name that analysts use.

select * from {{ ref('dim_promocion') }}
