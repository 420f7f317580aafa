{{ config(materialized='view') }}

select
    mes,
    sum(ventas) as ventas,
    sum(importe) as importe
from {{ ref('mv_ventas_mes') }}
group by mes
