-- Does payday show: lines sold on paydays and the two days after, against ordinary days? Ordinary:
-- the same weekday within four weeks, no holiday nor day around one, no payday
-- (dim_calendario.es_dia_ordinario); holidays are left out on both sides. Two years, sum / sum,
-- with the standard error of the mean effect of a day. Reads retail.mv_ticket_formato. One row per
-- format and day.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

por_dia as (

    select
        fecha,
        formato,
        sum(lineas) as lineas
    from {{ ref('mv_ticket_formato') }}
    where
        fecha > (select ultimo_dia.fecha from ultimo_dia) - 2 * 364
        and fecha <= (select ultimo_dia.fecha from ultimo_dia)
    group by fecha, formato

),

dias as (

    select
        por_dia.fecha,
        por_dia.formato,
        por_dia.lineas,
        calendario.dia_semana,
        calendario.es_dia_ordinario,
        case
            when extract(day from por_dia.fecha + 1) = 1 then 'último'
            when extract(day from por_dia.fecha) in (1, 2, 15, 16, 17)
                then extract(day from por_dia.fecha)::text
        end as dia_del_mes
    from por_dia
    inner join {{ ref('dim_calendario') }} as calendario on por_dia.fecha = calendario.fecha
    where not calendario.es_ventana_festivo

),

comparados as (

    select
        quincenas.formato,
        quincenas.dia_del_mes,
        quincenas.fecha,
        quincenas.lineas,
        avg(ordinarios.lineas) as lineas_ordinarias
    from dias as quincenas
    inner join dias as ordinarios
        on
            quincenas.formato = ordinarios.formato
            and quincenas.dia_semana = ordinarios.dia_semana
            and ordinarios.fecha between quincenas.fecha - 28 and quincenas.fecha + 28
            and ordinarios.es_dia_ordinario
    where quincenas.dia_del_mes is not null
    group by quincenas.formato, quincenas.dia_del_mes, quincenas.fecha, quincenas.lineas

)

select
    formato,
    dia_del_mes,
    count(*) as dias,
    round(100 * (sum(lineas) / sum(lineas_ordinarias) - 1), 1) as efecto_pct,
    round(100 * stddev_samp(lineas / lineas_ordinarias) / sqrt(count(*)::numeric), 1) as error_pct
from comparados
group by formato, dia_del_mes
order by formato, dia_del_mes
