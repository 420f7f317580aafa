{{ config(
    materialized='partitioned',
    contract={'enforced': true},
    partition_by={'fields': ['sold_on'], 'granularity': 'month'},
) }}
-- depends_on: {{ ref('from_versioned_source') }}
{{ sales_of(source('other_project', 'published')) }}
