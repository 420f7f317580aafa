{{ config(materialized='view') }}

-- Grain: that of fact_pedidos, under the name that analysts use.

select * from {{ ref('fact_pedidos') }}
