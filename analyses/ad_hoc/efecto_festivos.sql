-- What does a holiday bring: sales of the last two years' holidays against ordinary days?
-- Ordinary: the same weekday in the four weeks before and after, without other holidays. Reads
-- retail.agg_ventas_dia_tienda. One row per holiday.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

por_dia as (

    select
        fecha,
        sum(total_ventas) as total_ventas
    from {{ ref('agg_ventas_dia_tienda') }}
    where
        fecha > (select ultimo_dia.fecha from ultimo_dia) - 728
        and fecha <= (select ultimo_dia.fecha from ultimo_dia)
    group by fecha

),

dias as (

    select
        por_dia.fecha,
        por_dia.total_ventas,
        calendario.dia_semana,
        calendario.es_festivo,
        calendario.nombre_festivo
    from por_dia
    inner join {{ ref('dim_calendario') }} as calendario on por_dia.fecha = calendario.fecha

)

select
    festivos.fecha,
    festivos.nombre_festivo,
    festivos.total_ventas,
    round(avg(ordinarios.total_ventas), 2) as ventas_ordinarias,
    round(100 * (festivos.total_ventas / avg(ordinarios.total_ventas) - 1), 1) as efecto_pct
from dias as festivos
inner join dias as ordinarios
    on
        festivos.dia_semana = ordinarios.dia_semana
        and ordinarios.fecha between festivos.fecha - 28 and festivos.fecha + 28
        and not ordinarios.es_festivo
where festivos.es_festivo
group by festivos.fecha, festivos.nombre_festivo, festivos.total_ventas
order by festivos.fecha
