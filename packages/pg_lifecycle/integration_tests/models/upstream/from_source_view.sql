{{ config(
    materialized='partitioned',
    contract={'enforced': true},
    partition_by={'fields': ['sold_on'], 'granularity': 'month'},
) }}
{{ sales_of(source('shop', 'sales_view')) }}
