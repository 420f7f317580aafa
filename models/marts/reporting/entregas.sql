{{ config(materialized='view') }}

-- Grain: one row per file delivered.
-- Runs with its owner's rights, so readers need none in schema staging.

select * from {{ ref('stg_cargas') }}
