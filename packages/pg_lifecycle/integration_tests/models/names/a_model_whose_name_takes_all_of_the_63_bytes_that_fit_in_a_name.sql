{{ config(
    materialized='partitioned',
    schema='Odd Shop',
    contract={'enforced': true},
    partition_by={'fields': ['sold_on'], 'granularity': 'week'},
    indexes=[{'columns': ['amount', 'sold_on desc']}],
) }}

{{ sales_of(source('shop', 'sales_versioned')) }}
