{{ config(materialized='view') }}

-- Grain: one row per daily run of the 30 nights up to the newest.
-- Runs with its owner's rights, so readers need none in schema staging.

with

corridas as (

    select * from {{ ref('stg_corridas') }}

),

ultima as (

    select max(iniciada_en) as iniciada_en from corridas

),

final as (

    select corridas.*
    from corridas
    cross join ultima
    where corridas.iniciada_en > ultima.iniciada_en - interval '30 days'

)

select * from final
