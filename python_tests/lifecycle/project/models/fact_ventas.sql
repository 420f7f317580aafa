{{ config(
    materialized='partitioned',
    partition_by={'fields': ['fecha'], 'granularity': 'month'},
    indexes=[{'columns': ['tienda_id', 'fecha']}],
) }}

select
    venta_id,
    fecha,
    tienda_id,
    unidades,
    importe
from {{ ref('stg_ventas') }}
where {{ pg_lifecycle.partition_filter('fecha') }}
