{{ config(materialized='view') }}

-- Grain: that of fact_inventario, under the name that analysts use.

select * from {{ ref('fact_inventario') }}
