{{ config(
    materialized='partitioned',
    schema='Odd Shop',
    alias='Sales Lines (100%)',
    contract={'enforced': true},
    partition_by={'fields': ['Sold On'], 'granularity': 'month'},
    indexes=[{'columns': ['Store Id', 'Sold On desc'], 'include': ['Amount paid'], 'name': 'Of Store'}],
    also_rebuild='asked_for',
    publish_check='no_refused_amount',
) }}
-- depends_on: {{ source('shop', 'asked_for') }}

select
    sales.sale_id as "Sale Id",
    sales.sold_on as "Sold On",
    sales.store_id as "Store Id",
    sales.amount as "Amount paid"
from {{ source('shop', 'sales_versioned') }} as sales
where {{ pg_lifecycle.partition_filter('sales.sold_on') }}
