-- Who was responsible: net sales by month and regional manager's area, as the store belonged on the
-- day of the sale, beside those of the stores that belong to the area today. A store that moved
-- takes its past along in the second only. Only months of which every day has data. Reads
-- retail.historia_tienda and retail.agg_ventas_dia_tienda. One row per month and area.

with

meses as (
    {{ whole_periods('month') }}
),

ventas as (

    select
        date_trunc('month', ventas.fecha)::date as mes,
        ventas.ventas_netas,
        coalesce(entonces.gerencia, 'Sin gerencia') as gerencia_entonces,
        coalesce(tiendas.gerencia, 'Sin gerencia') as gerencia_actual
    from {{ ref('agg_ventas_dia_tienda') }} as ventas
    inner join {{ ref('historia_tienda') }} as entonces
        on
            ventas.tienda_id = entonces.tienda_id
            and {{ in_force_on('entonces', 'ventas.fecha') }}
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha >= (select meses.desde from meses)
        and ventas.fecha < (select meses.hasta from meses)

),

entonces as (

    select
        mes,
        gerencia_entonces as gerencia,
        sum(ventas_netas) as ventas_netas
    from ventas
    group by mes, gerencia_entonces

),

actuales as (

    select
        mes,
        gerencia_actual as gerencia,
        sum(ventas_netas) as ventas_netas
    from ventas
    group by mes, gerencia_actual

)

select
    coalesce(entonces.mes, actuales.mes) as mes,
    coalesce(entonces.gerencia, actuales.gerencia) as gerencia,
    coalesce(entonces.ventas_netas, 0.00) as ventas_netas,
    coalesce(actuales.ventas_netas, 0.00) as ventas_netas_tiendas_actuales
from entonces
full join actuales on entonces.mes = actuales.mes and entonces.gerencia = actuales.gerencia
order by mes, gerencia
