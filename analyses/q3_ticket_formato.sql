-- Pricing: average ticket and articles per ticket by store format in the first quarter of the last
-- full year.
-- Answered by retail.mv_ticket_formato (grain: day, format and channel): ratios are sum / sum over
-- the range.

with

anno as (

    select extract(year from fecha_corte + 1)::integer - 1 as anno
    from {{ ref('corte') }}

)

select
    formato,
    round(sum(total_ventas) / sum(lineas), 2) as ingreso_promedio_por_linea,
    round(sum(total_ventas) / sum(numero_tickets), 2) as ticket_promedio,
    round(sum(articulos) / sum(numero_tickets), 2) as articulos_por_ticket
from {{ ref('mv_ticket_formato') }}
where
    fecha >= make_date((select anno.anno from anno), 1, 1)
    and fecha < make_date((select anno.anno from anno), 4, 1)
group by formato
order by ticket_promedio desc
