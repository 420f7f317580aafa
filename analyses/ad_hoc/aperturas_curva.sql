-- How do new stores ramp up: their sales a day against those of mature stores of their format and
-- region, by month since the opening (of four weeks)? Sum / sum over the stores that opened in the
-- last two years. Reads retail.mv_aperturas. One row per month since the opening.

select
    mes_operacion,
    count(distinct tienda_id) as tiendas,
    sum(dias_tienda) as dias_tienda,
    round(sum(total_ventas) / sum(dias_tienda), 2) as venta_diaria,
    round(sum(venta_diaria_maduras * dias_tienda) / sum(dias_tienda), 2) as venta_diaria_maduras,
    round(100 * sum(total_ventas) / sum(venta_diaria_maduras * dias_tienda), 1) as proporcion_pct
from {{ ref('mv_aperturas') }}
where base is not null
group by mes_operacion
order by mes_operacion
