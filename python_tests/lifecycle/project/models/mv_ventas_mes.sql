{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['mes', 'tienda_id'], 'unique': true}],
) }}

select
    date_trunc('month', fecha)::date as mes,
    tienda_id,
    sum(ventas)::bigint as ventas,
    sum(importe) as importe
from {{ ref('agg_ventas_dia') }}
group by 1, 2
