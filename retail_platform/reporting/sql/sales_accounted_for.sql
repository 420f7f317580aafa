-- Raw rows and money against fact and quarantine; what is missing must be zero. Grain: month.
with

parts as (

    select
        'raw' as part,
        1 as sign,
        date_trunc('month', fecha_venta)::date as mes,
        count(*) as filas,
        sum(round(unidades * precio_unitario * (1 - descuento_pct / 100), 2)) as importe
    from {{ source('staging', 'raw_ventas') }}
    group by date_trunc('month', fecha_venta)::date
    union all
    select
        'fact' as part,
        -1 as sign,
        date_trunc('month', fecha_venta)::date as mes,
        count(*) as filas,
        sum(total_linea) as importe
    from {{ ref('fact_ventas') }}
    group by date_trunc('month', fecha_venta)::date
    union all
    select
        'quarantine' as part,
        -1 as sign,
        date_trunc('month', fecha_venta)::date as mes,
        count(*) as filas,
        sum(round(unidades * precio_unitario * (1 - descuento_pct / 100), 2)) as importe
    from cuarentena.ventas
    group by date_trunc('month', fecha_venta)::date

)

select
    mes as "month",
    sum(filas) filter (where part = 'raw') as delivered,
    coalesce(sum(filas) filter (where part = 'fact'), 0) as fact,
    coalesce(sum(filas) filter (where part = 'quarantine'), 0) as quarantined,
    coalesce(sum(importe) filter (where part = 'fact'), 0) as sales,
    sum(filas * sign) as "rows missing",
    sum(importe * sign) as "money missing"
from parts
group by mes
order by sum(filas * sign) <> 0 or sum(importe * sign) <> 0 desc, mes desc
