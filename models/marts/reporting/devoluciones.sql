{{ config(materialized='view') }}

-- Grain: that of fact_devoluciones, under the name that analysts use.

select * from {{ ref('fact_devoluciones') }}
