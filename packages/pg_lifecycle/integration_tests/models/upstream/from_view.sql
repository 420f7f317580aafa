{{ config(
    materialized='partitioned',
    contract={'enforced': true},
    partition_by={'fields': ['sold_on'], 'granularity': 'month'},
) }}
{{ sales_of(ref('logic_view')) }}
