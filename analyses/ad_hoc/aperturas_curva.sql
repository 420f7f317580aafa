-- How do new stores ramp up: their sales a day against those of mature stores of their format and
-- region, by format and month since the opening (of four weeks)? Sum / sum over the stores that
-- opened in the last two years. Reads retail.mv_aperturas. One row per format and month since the
-- opening.

select
    tiendas.formato,
    aperturas.mes_operacion,
    count(distinct aperturas.tienda_id) as tiendas,
    sum(aperturas.dias_tienda) as dias_tienda,
    round(sum(aperturas.total_ventas) / sum(aperturas.dias_tienda), 2) as venta_diaria,
    round(
        sum(aperturas.venta_diaria_maduras * aperturas.dias_tienda) / sum(aperturas.dias_tienda), 2
    ) as venta_diaria_maduras,
    round(
        100 * sum(aperturas.total_ventas)
        / nullif(sum(aperturas.venta_diaria_maduras * aperturas.dias_tienda), 0), 1
    ) as proporcion_pct
from {{ ref('mv_aperturas') }} as aperturas
inner join {{ ref('dim_tienda') }} as tiendas on aperturas.tienda_id = tiendas.tienda_id
where aperturas.base is not null
group by tiendas.formato, aperturas.mes_operacion
order by tiendas.formato, aperturas.mes_operacion
