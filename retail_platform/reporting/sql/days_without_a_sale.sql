-- Between the first and the last day with sales. Grain: day.
with

days as (

    select generate_series(min(fecha), max(fecha), interval '1 day')::date as dia
    from {{ ref('mv_daily_sales_summary') }}

)

select
    dia as "day",
    to_char(dia, 'FMDay') as weekday
from days
where dia not in (select fecha from {{ ref('mv_daily_sales_summary') }})
order by dia desc
