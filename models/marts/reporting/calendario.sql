{{ config(materialized='view') }}

-- Grain: that of dim_calendario, under the name that analysts use.

select * from {{ ref('dim_calendario') }}
