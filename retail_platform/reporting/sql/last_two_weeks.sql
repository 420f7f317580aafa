-- The seven days up to the cut-off date against the seven before. Grain: chain.
with

days as (

    select
        cadena,
        total_ventas,
        numero_tickets,
        corte.fecha_corte - fecha as hace
    from {{ ref('mv_daily_sales_summary') }}
    cross join {{ ref('corte') }} as corte
    where fecha <= corte.fecha_corte

)

select
    cadena as chain,
    sum(total_ventas) filter (where hace < 7) as sales,
    sum(total_ventas) filter (where hace >= 7) as "before",
    round(
        100 * (
            sum(total_ventas) filter (where hace < 7)
            / nullif(sum(total_ventas) filter (where hace >= 7), 0) - 1
        ),
        1
    ) as "change %",
    sum(numero_tickets) filter (where hace < 7) as tickets,
    sum(numero_tickets) filter (where hace >= 7) as "tickets before"
from days
where hace < 14
group by cadena
order by cadena
