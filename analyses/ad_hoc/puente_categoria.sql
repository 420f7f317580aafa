-- What made the net sales of each category change over the last 91 days, against a year before:
-- volume, mix, price, new or discontinued products? The parts add up to the change to the cent.
-- Reads retail.mv_puente_ventas. One row per category, the total last.

select
    categoria,
    ventas_netas_anterior,
    volumen,
    mezcla,
    precio,
    nuevos,
    descontinuados,
    ventas_netas,
    round(100 * cambio / nullif(ventas_netas_anterior, 0), 2) as cambio_pct
from {{ ref('mv_puente_ventas') }}
where periodo = 'ultimos_91' and region = 'Total'
order by categoria = 'Total', categoria
