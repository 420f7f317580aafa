{{ config(materialized='view') }}

-- Grain: that of fact_ventas, under the name that analysts use.

select * from {{ ref('fact_ventas') }}
