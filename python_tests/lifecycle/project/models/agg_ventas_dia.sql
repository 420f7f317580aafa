{{ config(materialized='partitioned', partition_by={'fields': ['fecha'], 'granularity': 'month'}) }}

select
    fecha,
    tienda_id,
    count(*) as ventas,
    sum(importe) as importe
from {{ ref('fact_ventas') }}
where {{ pg_lifecycle.partition_filter('fecha') }}
group by fecha, tienda_id
