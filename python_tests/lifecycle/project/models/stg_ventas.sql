{{ config(materialized='view') }}

select
    venta_id,
    fecha,
    tienda_id,
    unidades,
    importe
from {{ source('origen', 'ventas') }}
