{{ config(
    materialized='materialized_view',
    schema='Odd Shop',
    alias='Totals by Day',
    indexes=[{'columns': ['"Sold On"'], 'unique': true, 'name': 'Only One'}],
) }}

select "Sold On", sum("Amount paid") as "Sum" from {{ ref('odd_view') }} group by "Sold On"
