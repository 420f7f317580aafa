{{ config(
    materialized='partitioned',
    contract={'enforced': true},
    partition_by={'fields': ['sold_on'], 'granularity': 'month'},
) }}

select sales.sale_id, sales.sold_on, lookup.amount
from ({{ sales_of(source('shop', 'sales_versioned')) }}) as sales
inner join {{ ref('stock_table') }} as lookup on sales.sale_id = lookup.sale_id
