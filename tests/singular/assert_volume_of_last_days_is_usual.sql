{{ config(severity='warn') }}

-- The sale lines of each of the last seven days, holidays left out, are between 40 % and 250 % of
-- the median of the same weekday in the eight weeks before: outside, a file is probably missing or
-- was delivered twice under other keys. Days with a median under 500 lines vary too much to tell.
-- Warns with the figures.

with

dias as (

    select
        fecha,
        sum(lineas) as lineas
    from {{ ref('agg_ventas_dia_tienda') }}
    where fecha > {{ cutoff_date() }} - 70
    group by fecha

),

comparados as (

    select
        dias.fecha,
        dias.lineas,
        count(antes.fecha) as semanas,
        percentile_cont(0.5) within group (order by antes.lineas) as mediana
    from dias
    inner join dias as antes
        on
            extract(isodow from dias.fecha) = extract(isodow from antes.fecha)
            and antes.fecha between dias.fecha - 56 and dias.fecha - 7
    inner join {{ ref('dim_calendario') }} as calendario on dias.fecha = calendario.fecha
    where dias.fecha > {{ cutoff_date() }} - 7 and not calendario.es_festivo
    group by dias.fecha, dias.lineas

)

select
    *,
    round((lineas / mediana)::numeric, 2) as proporcion
from comparados
where
    semanas >= 4
    and mediana >= 500
    and (lineas < 0.4 * mediana or lineas > 2.5 * mediana)
