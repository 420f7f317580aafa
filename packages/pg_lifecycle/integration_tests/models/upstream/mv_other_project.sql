{{ config(materialized='materialized_view', indexes=[{'columns': ['sale_id'], 'unique': true}]) }}
-- depends_on: {{ ref('from_versioned_source') }}
select sale_id, sold_on, amount from {{ source('other_project', 'published') }}
