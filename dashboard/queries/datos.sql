-- How far the data reach. Grain: one row.
select
    fecha_corte,
    ultimo_dia_completo,
    ultimo_dia_con_ventas,
    tiendas_abiertas,
    tiendas_reportadas,
    proporcion_minima,
    case when proporcion_muestra < 1 then proporcion_muestra end as muestra,
    (select min(fecha) from {{ ref('mv_daily_sales_summary') }}) as primera_fecha,
    -- The views may reach back less far.
    (select min(fecha) from {{ ref('agg_ventas_dia_tienda') }}) as primera_venta
from {{ ref('corte') }}
