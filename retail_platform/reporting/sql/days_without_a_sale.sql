-- Between the first and the last day with sales. Grain: day.
with

-- A chain that sold nothing has its row, with zeros.
sold as (

    select fecha from {{ ref('mv_daily_sales_summary') }}
    where numero_tickets > 0

),

days as (

    select generate_series(min(fecha), max(fecha), interval '1 day')::date as dia
    from sold

)

select
    dia as "day",
    to_char(dia, 'FMDay') as weekday
from days
where dia not in (select fecha from sold)
order by dia desc
